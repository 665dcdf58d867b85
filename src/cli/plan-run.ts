import { existsSync } from 'node:fs'
import { readFile, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { FieldFault } from '../core/submit.ts'
import type { RunRequest } from '../core/submit-run.ts'
import { agentsOf } from '../model/lineup.ts'
import type { Plan, PlanOptions } from '../model/plan/plan.ts'
import { requestOf } from '../model/plan/requests.ts'
import { UsageError } from './command-failure.ts'
import { readPlanFile } from './plan-file.ts'
import { faultLines, submissionOf, type SubmissionFlags } from './submission-flags.ts'

/** The run that `--plan FILE` and the flags beside it ask for, and the agents of its tasks. Throws {@link UsageError}. */
export async function planRequest(
  file: string,
  typed: readonly string[],
  flags: SubmissionFlags,
): Promise<{ request: RunRequest; agents: readonly string[] }> {
  if (typed.length > 0 || flags.promptFile !== undefined) {
    throw new UsageError('--plan: goes without prompts: the tasks are those of the plan')
  }
  for (const flag of ['branch', 'needs'] as const) {
    if (flags[flag] !== undefined) throw new UsageError(`--${flag}: is for one task; write it into the plan`)
  }
  const { plan } = await readPlanFile(file)
  const { prompt: _prompt, repo: _repo, ...defaults } = submissionOf('', flags)
  const repo = flags.repo ?? (await repositoryOf(file, plan))
  const tasks = plan.batches.flatMap((batch) => batch.tasks)
  const agents = tasks.flatMap((task) => agentsOf(requestOf(plan, task, repo, defaults as PlanOptions)))
  return {
    request: {
      source: { kind: 'text', text: await readFile(file, 'utf8'), name: file },
      repo,
      defaults: defaults as PlanOptions,
    },
    agents: [...new Set(agents)],
  }
}

/** `.` is the repository that holds the plan; any other path is seen from the plan's folder. */
async function repositoryOf(file: string, plan: Plan): Promise<string> {
  if (plan.repo === null) {
    throw new UsageError(
      '--repo: is needed, or repo in the plan; "repo: ." is the repository that holds the plan',
    )
  }
  const folder = dirname(await realpath(file))
  if (plan.repo !== '.') return plan.repo.includes(':') ? plan.repo : resolve(folder, plan.repo)
  for (let place = folder; ; place = dirname(place)) {
    if (existsSync(join(place, '.git'))) return place
    if (place === dirname(place)) throw new UsageError(`--repo: is needed: ${folder} is in no git repository`)
  }
}

/** Faults as lines: those of a plan name file and line themselves. */
export function runFaultLines(faults: readonly FieldFault[]): string {
  const lines = faults.map((fault) => (fault.line === undefined ? faultLines([fault]) : fault.message))
  return [...new Set(lines)].join('\n')
}
