import type { Agent, AgentEnd, AgentTurn } from '../ports/agent.ts'
import type { ExecEnd } from '../ports/runtime.ts'

/** Any shell command: runs in the clone with the prompt in NIGHTSHIFT_PROMPT; exit code 0 is a good end. */
export function createCommandAgent(): Agent {
  return {
    name: 'command',
    problems: () => Promise.resolve([]),
    call: (turn) => ({
      argv: ['/bin/sh', '-c', turn.command ?? ''],
      env: { NIGHTSHIFT_PROMPT: promptOf(turn), NIGHTSHIFT_ROUND: String(turn.round) },
      end: endOf,
    }),
  }
}

function promptOf(turn: AgentTurn): string {
  return turn.findings === null ? turn.prompt : `${turn.prompt}\n\n${turn.findings}`
}

function endOf(exec: ExecEnd): AgentEnd {
  return {
    ok: exec.exitCode === 0,
    fault:
      exec.exitCode === 0 ? null : `the command exited with code ${exec.exitCode ?? 'none'}${lastLine(exec)}`,
    evidence: {
      name: 'command',
      version: null,
      exitCode: exec.exitCode,
      turns: null,
      inputTokens: null,
      outputTokens: null,
      costUsd: null,
    },
  }
}

function lastLine(exec: ExecEnd): string {
  const line = exec.stderrTail.trim().split('\n').at(-1)?.slice(-200)
  return line === undefined || line === '' ? '' : ` (${line})`
}
