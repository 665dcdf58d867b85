import type { Generated, GeneratedAlways, JSONColumnType } from 'kysely'
import type { Evidence } from '../model/evidence.ts'
import type { TaskEvent } from '../model/event.ts'
import type { Outcome } from '../model/outcome.ts'
import type { Progress } from '../model/progress.ts'
import type { ProviderName } from '../model/provider.ts'
import type { AgentName } from '../model/submission.ts'
import type { TokenRole } from '../ports/token-store.ts'
import type { ScheduleDefinition } from '../model/schedule/schedule.ts'
import type { RunBatch } from '../model/run.ts'
import type { Hold, NewTask, State, Task, TaskOptions } from '../model/task.ts'
import type { BudgetScope } from '../ports/spend.ts'

/** Columns of `tasks`; what each means stands in the migration that makes it. */
export interface TasksTable {
  id: string
  state: State
  hold: Hold | null
  outcome: Outcome | null
  reason: string | null
  pool: string
  lane: string
  machine_id: string | null
  repo: string
  base: string | null
  branch: string
  prompt: string
  agent: AgentName
  runtime: Task['runtime']
  priority: number
  run_id: string | null
  batch: string | null
  batch_number: number | null
  plan_order: number | null
  plan_task: string | null
  needs: readonly string[]
  paths: readonly string[]
  path_prefixes: readonly string[]
  retry_of: string | null
  options: JSONColumnType<TaskOptions>
  asked: JSONColumnType<Pick<NewTask, 'base' | 'branch' | 'runtime'>>
  attempt: Generated<number>
  crashes: Generated<number>
  worker_id: string | null
  lease_until: Date | null
  due_at: Date | null
  because_of: string | null
  cancel_requested_at: Date | null
  cancel_reason: string | null
  pinned_sha: string | null
  intended: Generated<readonly string[]>
  output_bytes: Generated<string>
  evidence: JSONColumnType<Evidence | null, string | null, string | null>
  created_at: Generated<Date>
  started_at: Date | null
  ended_at: Date | null
  provider: ProviderName | null
  train_since: Date | null
  told_at: Date | null
}

export interface EventsTable {
  /** bigint, which pg hands out as text. */
  id: Generated<string>
  task_id: string
  attempt: number
  at: Generated<Date>
  type: TaskEvent['type']
  step: TaskEvent['step']
  text: string
  data: JSONColumnType<TaskEvent['data']>
}

/** Spending by what it is counted for; bigint columns come as text. */
export interface SpendTable {
  scope: BudgetScope
  id: string
  requests: string
  input_tokens: string
  cache_read_tokens: string
  cache_write_tokens: string
  output_tokens: string
  cost_usd: number
  unpriced_requests: string
  reserved_usd: number
  updated_at: Generated<Date>
}

export interface RunsTable {
  id: string
  title: string
  repo: string
  base: string | null
  plan_path: string | null
  schedule: string | null
  scheduled_for: Date | null
  batches: JSONColumnType<readonly RunBatch[]>
  starts_until: Date | null
  max_cost_usd: number | null
  created_at: Generated<Date>
}

export interface Schema {
  spend: SpendTable
  tasks: TasksTable
  runs: RunsTable
  schedules: {
    name: string
    definition: JSONColumnType<ScheduleDefinition>
    paused: Generated<boolean>
    created_at: Generated<Date>
    considered_until: Generated<Date>
  }
  run_pins: { run_id: string; batch_group: number; asked_base: string; base: string; sha: string }
  task_needs: { task_id: string; need_id: string }
  events: EventsTable
  saved_work: {
    task_id: string
    head_sha: string
    bundle: Buffer
    evidence: JSONColumnType<Evidence>
    conversation_id: string | null
    conversation: Buffer | null
  }
  saved_candidates: {
    task_id: string
    candidate: number
    id: GeneratedAlways<number>
    head_sha: string
    bundle: Buffer
    evidence: JSONColumnType<Evidence>
    conversation_id: string | null
    conversation: Buffer | null
  }
  diffs: { task_id: string; gzip: Buffer }
  progress: {
    task_id: string
    slug: string | null
    number: number | null
    head_sha: string | null
    data: JSONColumnType<Progress>
  }
  train: { repo: string; base: string; task_id: string; attempt: number }
  webhook_deliveries: { id: string; received_at: Generated<Date> }
  notices: { task_id: string; tries: Generated<number>; due_at: Generated<Date>; ended_at: Generated<Date> }
  pools: { id: string; alive_until: Date }
  workers: {
    id: string
    host: string
    pid: number
    slots: number
    seen_at: Date
    agents: Generated<readonly string[]>
    accounts: Generated<readonly string[]>
    pool: Generated<string>
    short_of_disk: string | null
  }
  account_holds: { account: string; until: Date; reason: string }
  idempotency_keys: {
    key: string
    request_hash: string
    task_ids: readonly string[]
    created_at: Generated<Date>
  }
  settings: {
    only_row: Generated<boolean>
    paused: Generated<boolean>
    limit_global: number | null
    limit_per_repository: number | null
    limit_per_agent: number | null
  }
  tokens: {
    id: string
    name: string
    hash: Buffer
    role: Generated<TokenRole>
    created_at: Generated<Date>
    last_used_at: Date | null
  }
  sessions: {
    id: string
    secret_hash: Buffer
    previous_hash: Buffer | null
    previous_until: Date | null
    bearer_hash: Buffer
    form_key: string
    created_at: Generated<Date>
    rotated_at: Generated<Date>
    expires_at: Date
  }
}
