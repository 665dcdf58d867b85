import type { SecretFinding } from '../model/policy/work.ts'

/** Looks for passwords, keys and tokens in a text. Never throws on account of what the text holds. */
export type SecretScanner = (file: string, text: string) => Promise<readonly SecretFinding[]>
