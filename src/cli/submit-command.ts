import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { failureOf } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { readPrompts } from './prompts.ts'
import { addSubmissionFlags, submissionOf, type SubmissionFlags } from './submission-flags.ts'

/** `submit`: queues tasks on a server, one for each prompt. */
export function addSubmitCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  addSubmissionFlags(program.command('submit').description('queue tasks on a running server')).action(
    async (typed: string[], flags: SubmissionFlags & CommonFlags) => {
      const { terminal } = context
      const prompts = await readPrompts(typed, flags, context.stdin)
      const request = { ...flags, ...(flags.repo === undefined ? {} : { repo: wholePath(flags.repo) }) }
      const client = context.client()
      const tasks: Task[] = []
      for (const prompt of prompts) {
        try {
          tasks.push(await client.submit(submissionOf(prompt, request)))
        } catch (error) {
          if (tasks.length === 0 || flags.json !== true) throw error
          // Those before it are queued: a script must learn their ids all the same.
          const { exitCode, message, facts } = failureOf(error)
          await terminal.printJson({ tasks, error: { message, exitCode, ...facts } })
          setExitCode(exitCode)
          return
        }
        const task = tasks.at(-1)
        if (flags.json !== true && task !== undefined) {
          await terminal.print(task.id)
          terminal.say(`queued ${shortId(task.id)}: nightshift logs -f ${shortId(task.id)}`)
        }
      }
      if (flags.json === true) await terminal.printJson({ tasks })
    },
  )
}

// The server has another working folder: there, a relative path means something else.
function wholePath(repo: string): string {
  return !repo.includes(':') && existsSync(repo) ? resolve(repo) : repo
}
