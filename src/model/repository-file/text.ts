import { z } from 'zod'

/** One shell command or script, run with `sh -c`. */
export const commandSchema = z
  .string()
  .max(10_000)
  .refine((value) => value.trim() !== '', 'is empty: give a shell command, or leave the key out')
  .refine((value) => !value.includes('\0'), 'must not contain a NUL character')
