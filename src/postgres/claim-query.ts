import { sql, type RawBuilder } from 'kysely'
import type { WorkerAbilities } from '../ports/worker.ts'
import { isAlive } from './account-holds.ts'
import { prepared } from './prepared.ts'
import type { TaskRow } from './task-row.ts'

/**
 * Where the next task is looked for. `front`: among the first of the queue, which is nearly always enough. `lanes`:
 * among the first of each lane (tasks that the same workers and limits let through), found without reading the rest:
 * thousands of tasks that may not start now do not stand in the way of one that may.
 */
export type Source = 'front' | 'lanes'

/** The one row that the statement answers; the columns of the task that was taken are null where there is none. */
export type Picked = {
  /** The front was longer than what was looked at. */
  readonly more: boolean
  /** There are tasks held for a while whose time has come. */
  readonly due: boolean
  /** Queued tasks that may not start beside a running one, and which one that is. */
  readonly overlaps: readonly { id: string; by: string }[]
} & (TaskRow | { readonly id: null })

const lanePart = 4

/** The statement that takes a task, looking at `frontLength` tasks of the front; to be run under the claim lock, so that what it counts stays true. */
export function pickStatement(
  worker: WorkerAbilities,
  leaseMs: number,
  source: Source,
  frontLength: number,
): RawBuilder<Picked> {
  const pool = worker.pool ?? ''
  const runtimes = [...worker.runtimes, 'auto']
  const able = sql`(
    agent in (select agent from can_do) and (provider is null or provider not in (select provider from closed)) and runtime = any(${runtimes}::text[])
    and (machine_id is null or machine_id = ${worker.machineId})
    and repo not in (select repo from full_repos) and agent not in (select agent from full_agents))`
  const window =
    source === 'front'
      ? sql`
        looked_at as materialized (
          select id, priority, repo, agent, provider, runtime, machine_id, path_prefixes from tasks
          where state = 'queued' and pool = ${pool}
          order by priority desc, id limit ${sql.lit(frontLength)})`
      : sql`
        lanes as (
          (select lane, repo, agent, provider, runtime, machine_id from tasks
            where state = 'queued' and pool = ${pool} order by lane limit 1)
          union all
          select next.* from lanes cross join lateral (
            select lane, repo, agent, provider, runtime, machine_id from tasks
            where state = 'queued' and pool = ${pool} and lane > lanes.lane order by lane limit 1) next
        ), open_lanes as (
          select lane from lanes where ${able}
        ), looked_at as materialized (
          select first.* from open_lanes cross join lateral (
            select id, priority, repo, agent, provider, runtime, machine_id, path_prefixes from tasks
            where state = 'queued' and pool = ${pool} and lane = open_lanes.lane
            order by priority desc, id limit ${sql.lit(lanePart)}) first)`
  return sql<Picked>`
    ${prepared} with recursive running as materialized (
      select id, repo, agent, path_prefixes from tasks where state = 'running'
    ), full_repos as materialized (
      select repo from running group by repo
      having count(*) >= (select limit_per_repository from settings)
    ), full_agents as materialized (
      select agent from running group by agent
      having count(*) >= (select limit_per_agent from settings)
    ), allowed as materialized (
      select not (paused and ${pool} = '')
        and (limit_global is null or (select count(*) from running) < limit_global)
        and (limit_per_repository is null or limit_per_repository > 0)
        and (limit_per_agent is null or limit_per_agent > 0) as now
      from settings
    ), can_do as materialized (
      select unnest(${worker.agents}::text[]) as agent
      union
      select agent from unnest(${worker.lacking}::text[]) as lacking (agent)
      where not exists (
        select from workers where agent = any(workers.agents) and workers.pool = ${pool} and ${isAlive} and workers.id <> ${worker.workerId})
    ), closed as materialized (
      select provider from unnest(
        ${worker.accounts.map((each) => each.provider)}::text[],
        ${worker.accounts.map((each) => each.account)}::text[]) as login (provider, account)
      join account_holds on account_holds.account = login.account and until > clock_timestamp()
    ), ${window}, judged as materialized (
      select id, priority, case when path_prefixes <> '{}' then (
        select running.id from running
        where running.repo = looked_at.repo and running.path_prefixes <> '{}' and exists (
          select from unnest(looked_at.path_prefixes) mine, unnest(running.path_prefixes) theirs
          where mine ^@ theirs or theirs ^@ mine)
        order by running.id limit 1) end as blocker
      from looked_at where ${able}
    ), chosen as (
      select tasks.id from tasks join judged on judged.id = tasks.id
      where judged.blocker is null and tasks.state = 'queued' and (select now from allowed)
      order by judged.priority desc, judged.id limit 1
      for update of tasks skip locked
    ), claimed as (
      update tasks set
        state = 'running', attempt = tasks.attempt + 1, worker_id = ${worker.workerId},
        lease_until = clock_timestamp() + ${leaseMs} * interval '1 ms',
        started_at = clock_timestamp(), reason = null
      from chosen where tasks.id = chosen.id
      returning tasks.*
    )
    select
      (select count(*) from looked_at) >= ${sql.lit(frontLength)} as more,
      exists (
        select from tasks where state = 'held' and hold in ('retry', 'quota', 'disk', 'forge', 'train') and pool = ${pool}
          and due_at <= clock_timestamp()) as due,
      coalesce((
        select jsonb_agg(jsonb_build_object('id', id, 'by', blocker)) from judged
        where blocker is not null), '[]') as overlaps,
      claimed.*
    from (select) nothing left join claimed on true`
}
