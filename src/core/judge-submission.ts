import type { z } from 'zod'
import { lineupOf } from '../model/lineup.ts'
import { defaultSilenceMs, defaultTimeoutMs, submissionSchema, type Submission } from '../model/submission.ts'
import { branchFor, newTaskId } from '../model/task-id.ts'
import type { NewTask } from '../model/task.ts'
import { issueWords, pathName } from '../model/issue-words.ts'
import { issuesOfMeant } from '../model/union-issues.ts'
import type { Door } from '../ports/repositories.ts'
import { meaningFaults } from './submission-faults.ts'
import type { FieldFault, SubmitContext } from './submit.ts'

/** A submission, or what can be read of one. */
export type Asked = z.output<ReturnType<typeof submissionSchema.partial>>

type Judged = { ok: true; task: NewTask } | { ok: false; faults: FieldFault[] }

/** One request, as a task of its own that is not stored yet, or what is wrong with it. */
export async function judge(context: SubmitContext, request: unknown, door: Door): Promise<Judged> {
  const parsed = submissionSchema.safeParse(request)
  if (!parsed.success) {
    // What is of the right shape is judged all the same: whoever mends a request hears of everything at once.
    const faults = parsed.error.issues.flatMap(faultsOf)
    const sound = soundPart(request, parsed.error)
    const more = sound === null ? [] : (await judgeMeaning(context, sound.asked, door)).faults
    return { ok: false, faults: [...faults, ...more.filter(({ field }) => sound?.judges(field) === true)] }
  }
  const asked = parsed.data
  const { faults, located } = await judgeMeaning(context, asked, door)
  if (faults.length > 0 || located?.ok !== true) return { ok: false, faults }
  return { ok: true, task: newTask(asked, located.repo) }
}

/** What is wrong with a request whose fields are of the right shape, with those of them that are there. */
async function judgeMeaning(context: SubmitContext, asked: Asked, door: Door) {
  const faults = meaningFaults(context, asked, door)
  const located = asked.repo === undefined ? null : await context.repositories.locate(asked.repo, door)
  if (located?.ok === false) faults.push({ field: 'repo', message: located.message })
  if (located?.ok === true && asked.merge !== 'never') {
    const why = context.refusedMerge(located.repo)
    if (why !== null) faults.push({ field: 'merge', message: why })
  }
  return { faults, located }
}

/** Fields that are judged together: with one of them unreadable, the others say nothing. */
const judgedTogether = [
  'agent',
  'command',
  'candidates',
  'reviewer',
  'reviewCommand',
  'merge',
  'keep',
  'judge',
  'judgeCommand',
]

/** A request without its unreadable fields; `null`: it is no object. */
function soundPart(request: unknown, error: z.ZodError) {
  const unreadable = new Set(error.issues.map((issue) => String(issue.path[0])))
  if (typeof request !== 'object' || request === null || Array.isArray(request)) return null
  const known = Object.keys(submissionSchema.shape)
  const parts = Object.entries(request).filter(([name]) => known.includes(name) && !unreadable.has(name))
  const parsed = submissionSchema.partial().safeParse(Object.fromEntries(parts))
  if (!parsed.success) return null
  // Whoever named no agent yet need not hear that the default one is not there.
  const { agent, command, candidates } = parsed.data
  const undecided = agent === undefined && command === undefined && !Array.isArray(candidates)
  const apart = undecided || judgedTogether.some((name) => unreadable.has(name))
  const judges = (field: string) => !apart || !judgedTogether.includes(field.split(/[.[]/, 1)[0] ?? '')
  return { asked: parsed.data, judges }
}

function newTask(asked: Submission, repo: string): NewTask {
  const id = newTaskId()
  const { own, lineup } = lineupOf(asked)
  const judgedBy = asked.judge ?? (asked.judgeCommand === undefined ? null : 'command')
  return {
    id,
    repo,
    base: asked.base ?? null,
    branch: asked.branch ?? branchFor(id, asked.prompt),
    prompt: asked.prompt,
    agent: own.agent,
    runtime: asked.runtime,
    priority: asked.priority,
    needs: asked.needs,
    paths: asked.paths,
    retryOf: null,
    place: null,
    options: {
      command: own.command,
      model: own.model,
      maxCostUsd: asked.maxCost ?? null,
      requireChanges: asked.requireChanges,
      timeoutMs: asked.timeout ?? defaultTimeoutMs,
      silenceMs: asked.silence ?? defaultSilenceMs,
      network: asked.network ?? { kind: 'none' },
      branchNamed: asked.branch !== undefined,
      merge: asked.merge,
      mergeMethod: asked.mergeMethod,
      reviewer: asked.reviewer ?? (asked.reviewCommand === undefined ? null : 'command'),
      reviewCommand: asked.reviewCommand ?? null,
      candidates: lineup?.length ?? (typeof asked.candidates === 'number' ? asked.candidates : 1),
      lineup,
      keep: asked.keep ?? (judgedBy === null ? 'first' : 'judge'),
      judge: judgedBy,
      judgeCommand: asked.judgeCommand ?? null,
    },
  }
}

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const field = pathName(issue.path)
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      field: field === '' ? key : `${field}.${key}`,
      message: 'is not a known field; see /docs for those that are',
    }))
  }
  const meant = issue.code === 'invalid_union' ? issuesOfMeant(issue) : null
  return meant?.flatMap(faultsOf) ?? [{ field: field === '' ? 'body' : field, message: issueWords(issue) }]
}
