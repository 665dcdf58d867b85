import type { Command } from 'commander'
import type { PlanRun } from '../client/client.ts'
import type { Run } from '../model/run.ts'
import { shortId } from '../model/task-id.ts'
import type { Task } from '../model/task.ts'
import { failureOf } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { wholePath } from './local-path.ts'
import { planRequest } from './plan-run.ts'
import { readPrompts } from './prompts.ts'
import { addSubmissionFlags, submissionOf, type SubmissionFlags } from './submission-flags.ts'

/** `submit`: queues tasks on a server, one for each prompt. */
export function addSubmitCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  addSubmissionFlags(program.command('submit').description('queue tasks on a running server'))
    .option('--plan <file>', 'queue a plan; other flags are defaults for its tasks')
    .action(async (typed: string[], flags: SubmissionFlags & CommonFlags & { plan?: string }) => {
      const { terminal } = context
      if (flags.plan !== undefined) {
        const run = await submitPlan(context, flags.plan, typed, flags)
        if (flags.json === true) await terminal.printJson(run)
        else {
          await terminal.print(run.id)
          terminal.say(`queued ${run.tasks} tasks: nightshift runs show ${shortId(run.id)}`)
        }
        return
      }
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
    })
}

/** Sends a plan of this machine; `.` in it is the repository that holds it here. */
async function submitPlan(
  context: CliContext,
  file: string,
  typed: readonly string[],
  flags: SubmissionFlags,
): Promise<Run> {
  const { source, repo, defaults } = (await planRequest(file, typed, flags)).request
  if (source.kind !== 'text') throw new Error('a plan of this machine comes as text')
  return context.client().startRun({
    ...defaults,
    plan: source.text,
    ...(repo === null ? {} : { repo: wholePath(repo) }),
  } as PlanRun)
}
