import type { OpenAPIHono } from '@hono/zod-openapi'
import { z } from 'zod'
import { keptCandidateSchema } from '../model/candidate.ts'
import { eventSchema } from '../model/event.ts'
import { agentEvidenceSchema, checkResultSchema, evidenceSchema, violationSchema } from '../model/evidence.ts'
import { outcomeSchema } from '../model/outcome.ts'
import { reviewSchema } from '../model/review.ts'
import { candidateSchema, runtimeNames, submissionSchema } from '../model/submission.ts'
import { runRequestSchema } from '../model/run-request.ts'
import { runBatchesSchema, runSchema } from '../model/run.ts'
import { newScheduleSchema, scheduleSchema } from '../model/schedule/schedule.ts'
import { taskSchema } from '../model/task.ts'
import { problemSchema } from './problem.ts'
import {
  eventListSchema,
  limitsSchema,
  readinessSchema,
  runPageSchema,
  statsSchema,
  taskPageSchema,
  fullStatsSchema,
} from './shapes.ts'

const agentRunSchema = submissionSchema.omit({ prompt: true, runtime: true }).extend({
  task: z.string().meta({ description: 'What is to be done.' }),
  execution_mode: z
    .enum([...runtimeNames, 'auto'])
    .default('auto')
    .meta({ description: 'What provides the sandbox.' }),
})

const calledOtherwise = new Set(['planPath', 'plan', 'runtime'])
const autonomousStartSchema = z.strictObject({
  ...Object.fromEntries(
    Object.entries(runRequestSchema.shape).filter(([name]) => !calledOtherwise.has(name)),
  ),
  plan_path: z.string().meta({ description: 'The plan, a file of the repository at the base.' }),
  execution_mode: z
    .enum([...runtimeNames, 'auto'])
    .optional()
    .meta({ description: 'What provides the sandboxes.' }),
})

/** The shapes of bodies and answers, in the order in which /docs shows them. */
const schemas = {
  Task: taskSchema,
  Outcome: outcomeSchema,
  Evidence: evidenceSchema,
  Violation: violationSchema,
  Review: reviewSchema,
  CheckResult: checkResultSchema,
  AgentEvidence: agentEvidenceSchema,
  Candidate: candidateSchema,
  KeptCandidate: keptCandidateSchema,
  Submission: submissionSchema,
  AgentRun: agentRunSchema,
  TaskPage: taskPageSchema,
  Run: runSchema,
  RunBatches: runBatchesSchema,
  RunPage: runPageSchema,
  RunRequest: runRequestSchema,
  NewSchedule: newScheduleSchema,
  Schedule: scheduleSchema,
  ScheduleList: z.object({ items: z.array(scheduleSchema) }),
  AutonomousStart: autonomousStartSchema,
  Event: eventSchema,
  EventList: eventListSchema,
  Stats: statsSchema,
  FullStats: fullStatsSchema,
  Limits: limitsSchema,
  Readiness: readinessSchema,
  Problem: problemSchema,
}

/** JSON content of a named shape, for the description of a route. */
export function jsonOf(name: keyof typeof schemas, mediaType = 'application/json') {
  return { [mediaType]: { schema: { $ref: referenceTo(name) } } }
}

/**
 * Adds the shapes to the document as zod itself writes them: requests as they may be sent, before defaults. (The
 * generator of the routes would make shapes that may be null, wherever they are used, into ones that nothing satisfies.)
 */
export function registerComponents(app: OpenAPIHono): void {
  const named = z.registry<{ id: string }>()
  for (const [id, schema] of Object.entries(schemas)) named.add(schema, { id })
  const { schemas: written } = z.toJSONSchema(named, {
    io: 'input',
    uri: referenceTo,
    override: ({ jsonSchema }) => {
      // The format says the same as the long pattern, and every JSON number of this size is safe.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
    },
  })
  for (const [name, { $schema: _schema, $id: _id, ...schema }] of Object.entries(written)) {
    app.openAPIRegistry.registerComponent('schemas', name, JSON.parse(JSON.stringify(schema)) as object)
  }
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', { type: 'http', scheme: 'bearer' })
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`
}
