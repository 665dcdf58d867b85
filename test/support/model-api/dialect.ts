import type { Tokens, ToolCall, Turn } from './scene.ts'

/** One protocol: how its requests are read and its answers are written. */
export interface Dialect {
  /** Reads a request; `path` carries what the body does not. */
  turn(body: Json, path: string): Turn
  /** An answer in one piece. */
  whole(turn: Turn, answer: { text: string; calls: readonly ToolCall[] }, tokens: Tokens): unknown
  /** An answer in frames. */
  stream(turn: Turn, tokens: Tokens): Frames
}

/** Frames of one streamed answer, in this order; only `open` and `close` are needed. */
export interface Frames {
  open(): string
  words(piece: string): string
  calls(calls: readonly ToolCall[]): string
  close(): string
}

/** A JSON object of which nothing is known yet. */
export type Json = Readonly<Record<string, unknown>>

export function object(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {}
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** A server-sent event. */
export function event(data: unknown, name?: string): string {
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(data)}\n\n`
}

export function argumentsText(call: ToolCall): string {
  return typeof call.arguments === 'string' ? call.arguments : JSON.stringify(call.arguments)
}

let ids = 0

export function newId(prefix: string): string {
  ids += 1
  return `${prefix}_${String(ids).padStart(24, '0')}`
}
