import { readdirSync, readFileSync } from 'node:fs'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createClaudeAgent } from '../../src/agents/claude.ts'
import { createCodexAgent } from '../../src/agents/codex.ts'
import { createGeminiAgent } from '../../src/agents/gemini.ts'
import { createOpencodeAgent } from '../../src/agents/opencode.ts'
import { agentLine, type AgentEvent } from '../../src/model/agent-event.ts'
import type { Agent, AgentEnd } from '../../src/ports/agent.ts'
import type { ExecEnd } from '../../src/ports/runtime.ts'
import { run } from '../../src/process/run.ts'

const options = { setting: null, path: '', userHome: '/nonexistent', run, loginFile: null, hide: () => {} }
const agents = {
  claude: createClaudeAgent(options),
  codex: createCodexAgent(options),
  gemini: createGeminiAgent(options),
  opencode: createOpencodeAgent(options),
}
type Name = keyof typeof agents
const folder = new URL('streams/', import.meta.url)

function callOf(agent: Agent) {
  return agent.call({
    prompt: 'Do it',
    brief: 'Do it',
    findings: null,
    command: null,
    model: null,
    round: 0,
    program: null,
    conversation: null,
    ways: [],
    maxTurns: 10,
  })
}

function exited(exitCode: number, stderrTail = ''): ExecEnd {
  return { kind: 'exited', exitCode, durationMs: 1, stdoutTail: '', stderrTail }
}

interface Heard {
  readonly events: readonly AgentEvent[]
  readonly unknown: readonly string[]
  readonly end: AgentEnd
}

/** Plays lines to an adapter, as if its command line had printed them. */
function hear(name: Name, lines: readonly string[], exec: ExecEnd): Heard {
  const call = callOf(agents[name])
  const events: AgentEvent[] = []
  const unknown: string[] = []
  for (const text of lines) {
    const read = call.read?.({ stream: 'stdout', text }) ?? null
    if (read === null) unknown.push(text)
    else events.push(...read)
  }
  return { events, unknown, end: call.end(exec) }
}

function recorded(file: string): string[] {
  return readFileSync(new URL(`${file}.jsonl`, folder), 'utf8')
    .trim()
    .split('\n')
}

/** Exit codes that came with the recorded streams; the rest exited with 0. */
const exitCodes: Readonly<Record<string, number>> = {
  'claude-404': 1,
  'claude-401': 1,
  'claude-429': 1,
  'claude-529': 1,
  'claude-cut': 1,
  'claude-loop': 1,
  'codex-401': 1,
  'codex-404': 1,
  'codex-500': 1,
  'codex-cuts': 1,
  'gemini-401': 144,
  'gemini-404': 1,
  'gemini-cuts': 1,
  'opencode-401': 1,
  'opencode-404': 1,
}

function replay(file: string): Heard {
  return hear(file.split('-')[0] as Name, recorded(file), exited(exitCodes[file] ?? 0))
}

describe('a recorded stream', () => {
  it.each(readdirSync(folder).map((name) => name.replace('.jsonl', '')))(
    '%s holds nothing unknown',
    (file) => {
      expect(replay(file).unknown).toEqual([])
    },
  )

  it.each([
    ['claude-write', 'Done: wrote new.txt.', { turns: 3, inputTokens: 3000, outputTokens: 150 }],
    ['codex-writes', 'I wrote written.txt.', { inputTokens: 2400, outputTokens: 120 }],
    ['codex-edits', 'I changed the title of README.md.', {}],
    ['gemini-writes', 'I wrote written.txt.', { turns: 2, inputTokens: 3600, outputTokens: 180 }],
    ['opencode-writes', 'I wrote written.txt.', { turns: 2, inputTokens: 2400, outputTokens: 120 }],
  ] as const)('%s is a good end, with its answer and what it used', (file, answer, used) => {
    const { end, events } = replay(file)
    expect(end).toMatchObject({ fault: null, text: answer, evidence: used })
    expect(end.conversation).toMatch(/^[\w-]{20,}$/)
    expect(events).toContainEqual({ kind: 'message', text: answer })
  })

  it.each([
    ['claude-write', { kind: 'file', path: '/work/new.txt', action: 'write' }],
    ['claude-write', { kind: 'tool', name: 'Bash', detail: 'cat new.txt; env | grep -i KEY' }],
    ['claude-question', { kind: 'question', text: 'Which one?' }],
    ['codex-edits', { kind: 'file', path: '/work/README.md', action: 'edit' }],
    ['gemini-writes', { kind: 'file', path: '/work/written.txt', action: 'write' }],
    ['opencode-writes', { kind: 'file', path: '/work/written.txt', action: 'write' }],
  ] as const)('%s tells what was done', (file, event) => {
    expect(replay(file).events).toContainEqual(event)
  })

  it.each(['claude-empty', 'codex-nothing', 'opencode-nothing'])(
    '%s ended well and said nothing: that is no success',
    (file) => {
      expect(replay(file).end.fault).toEqual({ kind: 'failed', how: 'its answer was empty' })
    },
  )

  it('gemini-nothing exited with 0 all the same, and says why it is none', () => {
    expect(replay('gemini-nothing').end.fault).toMatchObject({
      kind: 'failed',
      how: expect.stringContaining('empty response'),
    })
  })

  it.each(['claude-401', 'codex-401', 'gemini-401', 'opencode-401'])(
    '%s is a login that was refused',
    (file) => {
      expect(replay(file).end.fault).toMatchObject({ kind: 'login' })
    },
  )

  it.each([
    ['claude-404', /selected model/],
    ['codex-404', /does not exist/],
    ['gemini-404', /is not found/],
    ['opencode-404', /404: model: /],
    ['claude-cut', /Connection dropped/],
    ['codex-cuts', /stream disconnected/],
    ['gemini-cuts', /terminated/],
    ['claude-loop', /maximum number of turns/],
    ['codex-500', /high demand/],
  ] as const)('%s failed, in its own words', (file, words) => {
    expect(replay(file).end.fault).toMatchObject({ kind: 'failed', how: expect.stringMatching(words) })
  })
})

describe('a stream that is not as it should be', () => {
  const good: readonly Name[] = ['claude', 'codex', 'gemini', 'opencode']
  const goodFile = {
    claude: 'claude-write',
    codex: 'codex-writes',
    gemini: 'gemini-writes',
    opencode: 'opencode-writes',
  }

  it.each(good)('of %s that ends before its final event is no success, with whatever exit code', (name) => {
    const lines = recorded(goodFile[name]).slice(0, -1)
    for (const code of [0, 1, 137]) {
      expect(hear(name, lines, exited(code)).end.fault).toMatchObject({
        kind: 'failed',
        how: expect.stringContaining('no final event'),
      })
    }
  })

  it.each(good)('of %s with a good final event and a bad exit code is no success', (name) => {
    expect(hear(name, recorded(goodFile[name]), exited(3, 'it broke')).end.fault).toEqual({
      kind: 'failed',
      how: 'it exited with code 3 (it broke)',
    })
  })

  it.each(good)('of %s that was never begun is told apart', (name) => {
    expect(hear(name, [], exited(127, 'no such file')).end.fault).toMatchObject({ kind: 'not_started' })
  })

  it.each(good)('of %s keeps what nobody knows, and goes on', (name) => {
    const strange = [
      '',
      'npm warn something',
      '{"type":"brand_new"}',
      '[1]',
      '{"type":',
      '{}',
      '"x"',
      '{"type":7}',
    ]
    const { unknown, end } = hear(name, [...strange, ...recorded(goodFile[name])], exited(0))
    expect(unknown).toEqual(strange)
    expect(end.fault).toBeNull()
  })

  it.each(good)('of %s cannot throw, whatever its events hold', (name) => {
    const types = fc.constantFrom(
      'system',
      'assistant',
      'user',
      'result',
      'item.completed',
      'turn.failed',
      'error',
    )
    const more = fc.constantFrom(
      'message',
      'tool_use',
      'tool_result',
      'init',
      'step_finish',
      'text',
      'thread.started',
    )
    const event = fc.record(
      {
        type: fc.oneof(types, more),
        item: fc.jsonValue(),
        message: fc.jsonValue(),
        part: fc.jsonValue(),
        error: fc.jsonValue(),
      },
      { requiredKeys: ['type'] },
    )
    fc.assert(
      fc.property(fc.array(event), (events) => {
        const { events: told } = hear(
          name,
          events.map((each) => JSON.stringify(each)),
          exited(0),
        )
        for (const each of told) agentLine(each)
      }),
      { numRuns: 300 },
    )
  })

  it('with an event that came in parts is put together, and a part that is lost takes no other with it', () => {
    const text = 'é'.repeat(100_000)
    const line = JSON.stringify({ type: 'result', is_error: false, result: text, session_id: 'some' })
    const bytes = Buffer.from(line)
    const parts: string[] = []
    for (let at = 0; at < bytes.length;) {
      // As the runtime cuts: at most 64 KiB, and no character in two.
      let cut = Math.min(at + 65_536, bytes.length)
      while (cut < bytes.length && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut -= 1
      parts.push(bytes.toString('utf8', at, cut))
      at = cut
    }
    expect(parts.length).toBeGreaterThan(2)
    expect(hear('claude', parts, exited(0)).end).toMatchObject({ fault: null, text })
    const broken = [parts[0] ?? '', ...recorded('claude-write')]
    expect(hear('claude', broken, exited(0)).end.fault).toBeNull()
  })
})
