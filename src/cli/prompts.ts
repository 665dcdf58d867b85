import { open } from 'node:fs/promises'
import { fileFault } from '../model/file-fault.ts'
import { UsageError } from './command-failure.ts'
import type { SubmissionFlags } from './submission-flags.ts'

/** More than any prompt may have: submit() says how many bytes that are. */
const maxBytes = 1024 * 1024

/**
 * The prompts of the command line and of the files it names, in this order. Throws {@link UsageError} where there is
 * none, no repository is named, a file cannot be read, or one branch is asked for several.
 */
export async function readPrompts(
  typed: readonly string[],
  flags: SubmissionFlags,
  stdin: NodeJS.ReadableStream,
): Promise<string[]> {
  if (flags.repo === undefined) throw new UsageError('--repo: is needed: the URL or the path of a repository')
  const files = flags.promptFile ?? []
  if (files.filter((file) => file === '-').length > 1)
    throw new UsageError('--prompt-file -: stdin can be read once')
  const prompts = [...typed]
  for (const file of files) prompts.push(file === '-' ? await readText(stdin, '-') : await readFileText(file))
  if (prompts.length === 0) {
    const hint =
      flags.paths === undefined && flags.needs === undefined
        ? ''
        : '; put -- between --paths or --needs and the prompt'
    throw new UsageError(`PROMPT: is needed: say what is to be done, or give --prompt-file FILE${hint}`)
  }
  if (flags.branch !== undefined && prompts.length > 1) {
    throw new UsageError(
      `--branch: goes with one prompt, not with ${prompts.length}: each task has a branch of its own`,
    )
  }
  return prompts
}

async function readFileText(path: string): Promise<string> {
  let stream: NodeJS.ReadableStream
  try {
    stream = (await open(path)).createReadStream()
  } catch (error) {
    throw unreadable(error, path)
  }
  return readText(stream, path)
}

/** Reads to the end, or as far as it needs to know that it is too much. */
async function readText(stream: NodeJS.ReadableStream, from: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of stream) {
      const bytes = Buffer.from(chunk)
      length += bytes.length
      chunks.push(bytes)
      if (length > maxBytes) break
    }
  } catch (error) {
    throw unreadable(error, from)
  }
  if (length > maxBytes) throw new UsageError(`--prompt-file: must have at most ${maxBytes} bytes`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch (error) {
    throw new UsageError('--prompt-file: must be UTF-8 text', { cause: error })
  }
}

function unreadable(error: unknown, path: string): UsageError {
  return new UsageError(`--prompt-file: ${path} cannot be read: ${fileFault(error)}`, { cause: error })
}
