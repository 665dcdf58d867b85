/** What an agent did, as its own stream told it: shown to people, counted against limits, never believed. */
export type AgentEvent =
  /** Words for people. */
  | { kind: 'message'; text: string }
  /** A tool that it called, such as a command, and with what, in one line. */
  | { kind: 'tool'; name: string; detail: string }
  /** What a tool answered, at most so much of it as people read. */
  | { kind: 'result'; text: string }
  /** A file that it says it has changed; the path as it named it. */
  | { kind: 'file'; path: string; action: 'write' | 'edit' | 'delete' }
  /** A fact about its run that is no work of its own: a request is tried again, the conversation was shortened. */
  | { kind: 'notice'; text: string }
  /** It asked a person and waits; nobody is there. */
  | { kind: 'question'; text: string }
  /** One more answer of its model. */
  | { kind: 'turn' }

/** The event as a line of a log; `null`: nothing to show. */
export function agentLine(event: AgentEvent): string | null {
  switch (event.kind) {
    case 'message':
    case 'result':
      return event.text
    case 'tool':
      return event.detail === '' ? `> ${event.name}` : `> ${event.name}: ${event.detail}`
    case 'file':
      return `> ${event.action} ${event.path}`
    case 'notice':
      return `(${event.text})`
    case 'question':
      return `? ${event.text}`
    case 'turn':
      return null
    default:
      return event satisfies never
  }
}
