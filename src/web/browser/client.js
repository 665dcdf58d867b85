// All that the pages do by themselves: times in the reader's zone, parts that follow what happens, and live output.
// Every page also works without it.
import { createAnsiReader } from './ansi.js'

const refreshEveryMs = 1000
const reopenAfterMs = 2000
/** Older lines leave the page; all of them are in the log. */
const maxLines = 5000

showTimes(document)
focusSearchOnSlash()
const follows = document.body.dataset['follows']
const output = document.getElementById('output')
if (follows !== undefined) startFollowing(follows)

/**
 * Follows events while the page is seen. The stream is closed when it is not: a browser opens few connections to one
 * server, and hidden pages would take them all. It goes on after the last event that was seen.
 * @param {string} query
 */
function startFollowing(query) {
  const lines = output === null ? null : createOutput(output)
  const refresh = createRefresh()
  const state = { after: output?.dataset['after'] ?? '', ended: false, paused: false }
  /** @type {EventSource | null} */
  let source = null
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let reopening

  const wanted = () => !state.ended && !state.paused && document.visibilityState === 'visible'
  function sync() {
    clearTimeout(reopening)
    if (wanted() && source === null) open()
    else if (!wanted()) close()
  }
  function close() {
    source?.close()
    source = null
  }
  function open() {
    const opened = new EventSource(`/events?${query}${state.after === '' ? '' : `&after=${state.after}`}`)
    source = opened
    opened.addEventListener('open', () => tellLink(''))
    opened.addEventListener('message', (message) => {
      // What comes twice is told by its id.
      if (state.after !== '' && Number(message.lastEventId) <= Number(state.after)) return
      state.after = message.lastEventId
      const event = JSON.parse(message.data)
      if (event.type === 'output') lines?.add(event)
      else refresh.soon()
    })
    opened.addEventListener('end', () => {
      state.ended = true
      close()
      lines?.end()
      refresh.soon()
    })
    opened.addEventListener('error', () => {
      tellLink('The connection is lost; trying again.')
      if (opened.readyState !== EventSource.CLOSED) return
      close()
      reopening = setTimeout(() => {
        // It may be over, or the session may be.
        refresh.soon()
        sync()
      }, reopenAfterMs)
    })
  }

  lines?.onPause((paused) => {
    state.paused = paused
    sync()
  })
  document.addEventListener('visibilitychange', () => {
    sync()
    if (wanted()) refresh.soon()
  })
  sync()
}

/** Shows lines below each other, and stays at the end unless the reader has scrolled away. @param {HTMLElement} pane */
function createOutput(pane) {
  const button = document.getElementById('output-follow')
  const status = document.getElementById('output-state')
  const headings = pane.querySelectorAll('.line.step')
  let heading = headings[headings.length - 1]?.textContent ?? ''
  let reader = createAnsiReader()
  let paused = false
  /** @type {DocumentFragment | null} */
  let waiting = null
  /** @type {(paused: boolean) => void} */
  let listener = () => {}

  const atEnd = () => pane.scrollHeight - pane.scrollTop - pane.clientHeight < 40
  const toEnd = () => void (pane.scrollTop = pane.scrollHeight)
  toEnd()

  function show() {
    if (waiting === null) return
    const stay = atEnd()
    pane.append(waiting)
    waiting = null
    while (pane.childElementCount > maxLines) pane.firstElementChild?.remove()
    if (stay) toEnd()
  }

  if (button !== null) {
    button.hidden = false
    button.addEventListener('click', () => {
      paused = !paused
      button.textContent = paused ? 'Go on' : 'Pause'
      if (status !== null) status.textContent = paused ? 'paused' : ''
      if (!paused) toEnd()
      listener(paused)
    })
  }

  return {
    /** @param {{ step: string | null, attempt: number, text: string }} event */
    add(event) {
      document.getElementById('output-none')?.remove()
      if (waiting === null) {
        waiting = document.createDocumentFragment()
        requestAnimationFrame(show)
      }
      const here = (event.step ?? 'output') + (event.attempt > 1 ? ` · attempt ${event.attempt}` : '')
      if (here !== heading) {
        heading = here
        reader = createAnsiReader()
        waiting.append(element('line step', here))
      }
      for (const pieces of reader.read(event.text.replace(/\n$/, ''))) {
        const line = element('line', '')
        for (const piece of pieces)
          line.append(piece.style === '' ? piece.text : element(piece.style, piece.text))
        waiting.append(line)
      }
    },
    end() {
      if (button !== null) button.hidden = true
      if (status !== null) status.textContent = 'it has ended'
    },
    /** @param {(paused: boolean) => void} to */
    onPause(to) {
      listener = to
    },
  }
}

/** Fetches the page again and puts its live parts in the place of those here, at most once a second. */
function createRefresh() {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer
  let lastMs = 0
  async function refresh() {
    timer = undefined
    lastMs = performance.now()
    try {
      const answer = await fetch(location.href, { headers: { accept: 'text/html' } })
      if (answer.redirected) return location.reload()
      if (!answer.ok) return
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html')
      document.title = fresh.title
      for (const part of document.querySelectorAll('[data-live]')) {
        const next = fresh.getElementById(part.id)
        // Whoever is in the middle of something there is not disturbed.
        if (next === null || part.contains(document.activeElement)) continue
        for (const opened of part.querySelectorAll('details[id]')) {
          const same = next.querySelector(`details#${opened.id}`)
          if (same !== null) same.toggleAttribute('open', opened.hasAttribute('open'))
        }
        const adopted = document.adoptNode(next)
        showTimes(adopted)
        part.replaceWith(adopted)
      }
    } catch {
      // The server is away: the stream says so, and asks again.
    }
  }
  return {
    soon() {
      timer ??= setTimeout(refresh, Math.max(50, lastMs + refreshEveryMs - performance.now()))
    },
  }
}

/** @param {ParentNode} root */
function showTimes(root) {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' })
  for (const time of root.querySelectorAll('time[datetime]')) {
    const shown = format.format(new Date(time.getAttribute('datetime') ?? ''))
    if (time.hasAttribute('data-ago')) time.setAttribute('title', shown)
    else time.textContent = shown
  }
}

function focusSearchOnSlash() {
  document.addEventListener('keydown', (event) => {
    const typing = event.target instanceof Element && event.target.closest('input, select, textarea') !== null
    if (event.key !== '/' || typing || event.ctrlKey || event.metaKey || event.altKey) return
    const search = document.querySelector('[data-search]')
    if (!(search instanceof HTMLElement)) return
    event.preventDefault()
    search.focus()
  })
}

/** @param {string} text */
function tellLink(text) {
  const state = document.getElementById('link-state')
  if (state !== null && state.textContent !== text) state.textContent = text
}

/** @param {string} className @param {string} text */
function element(className, text) {
  const made = document.createElement('span')
  made.className = className
  made.textContent = text
  return made
}
