import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialect } from './dialect.ts'
import { usualTokens, type Given, type Tokens, type Turn } from './scene.ts'

/** Sends an answer, streamed or whole, as far as the scene lets it go. */
export async function answerTurn(
  dialect: Dialect,
  turn: Turn,
  answer: Given,
  tokens: Partial<Tokens>,
  path: string,
  reply: ServerResponse,
): Promise<void> {
  const own = 'tokens' in answer ? answer.tokens : {}
  const used = { ...usualTokens, ...tokens, ...own }
  if (!turn.stream && (answer.kind === 'words' || answer.kind === 'calls' || answer.kind === 'nothing')) {
    const text = answer.kind === 'words' ? answer.text : ''
    const calls = answer.kind === 'calls' ? answer.calls : []
    reply.writeHead(200, { 'content-type': 'application/json' })
    reply.end(JSON.stringify(dialect.whole(turn, { text, calls }, used)))
    return
  }
  if ((answer.kind === 'hang' || answer.kind === 'cut') && !answer.afterWords) {
    if (answer.kind === 'cut') reply.socket?.destroy()
    return
  }
  // Gemini sends an array of JSON unless it is asked for events.
  const asEvents = turn.protocol !== 'gemini' || path.includes('alt=sse')
  reply.writeHead(200, { 'content-type': asEvents ? 'text/event-stream; charset=utf-8' : 'application/json' })
  reply.flushHeaders()
  const frames = dialect.stream(turn, used)
  const sent: string[] = []
  const closed = once(reply, 'close')
  const send = async (frame: string) => {
    if (!asEvents) sent.push(frame)
    else if (frame !== '' && !reply.write(frame)) await drained(reply, closed)
  }
  await send(frames.open())
  switch (answer.kind) {
    case 'words':
      for (const piece of answer.text.split(/(?<= )/)) await send(frames.words(piece))
      break
    case 'calls':
      await send(frames.calls(answer.calls))
      break
    case 'nothing':
      break
    case 'hang':
      await send(frames.words('I begin '))
      return
    case 'cut':
      await send(frames.words('I begin '))
      await sleep(50)
      reply.socket?.destroy()
      return
    case 'garbage':
      reply.end('<html>\u0000 data: {"type": 7, event: \n\ndata: {broken\n\n: \n\n')
      return
    case 'drip':
      for (let piece = 0; piece < answer.pieces && !reply.destroyed; piece++) {
        await send(frames.words(`${String(piece).padEnd(answer.pieceBytes - 1, '.')} `))
        if (answer.everyMs > 0) await sleep(answer.everyMs)
      }
      break
    default:
      answer satisfies never
  }
  await send(frames.close())
  if (asEvents) reply.end()
  else
    reply.end(
      `[${sent
        .join('')
        .split('\n\n')
        .filter((frame) => frame !== '')
        .map((frame) => frame.replace(/^data: /, ''))
        .join(',')}]`,
    )
}

async function drained(reply: ServerResponse, closed: Promise<unknown>): Promise<void> {
  const waiting = new AbortController()
  const drain = once(reply, 'drain', { signal: waiting.signal }).catch(() => {})
  await Promise.race([drain, closed])
  waiting.abort()
}
