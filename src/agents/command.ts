import type { Agent, AgentEnd, AgentTurn } from '../ports/agent.ts'
import type { ExecEnd } from '../ports/runtime.ts'
import { lastWords } from './stream.ts'

/** Any shell command: runs in the clone with the prompt in NIGHTSHIFT_PROMPT; exit code 0 is a good end. */
export function createCommandAgent(): Agent {
  return {
    name: 'command',
    install: null,
    conversationPaths: [],
    needsLogin: false,
    ownLogin: null,
    problems: () => Promise.resolve([]),
    program: () => Promise.resolve(null),
    providers: () => [],
    call: (turn) => ({
      argv: ['/bin/sh', '-c', turn.command ?? ''],
      env: { NIGHTSHIFT_PROMPT: promptOf(turn), NIGHTSHIFT_ROUND: String(turn.round) },
      read: null,
      end: endOf,
    }),
  }
}

function promptOf(turn: AgentTurn): string {
  return turn.findings === null ? turn.prompt : `${turn.prompt}\n\n${turn.findings}`
}

function endOf(exec: ExecEnd): AgentEnd {
  const how = `the command exited with code ${exec.exitCode ?? 'none'}${lastWords(exec)}`
  return {
    text: null,
    fault: exec.exitCode === 0 ? null : { kind: 'failed', how },
    evidence: {
      name: 'command',
      version: null,
      exitCode: exec.exitCode,
      turns: null,
      inputTokens: null,
      outputTokens: null,
      costUsd: null,
    },
    conversation: null,
  }
}
