import type { Outcome } from '../model/outcome.ts'

const meanings: Readonly<Record<Outcome, string>> = {
  merged: 'the pull request was merged',
  open: 'a pull request is open',
  pushed: 'the branch is on the remote',
  no_changes: 'the agent ended well, and nothing differs from the base: there is no branch',
  rejected: 'the work broke a policy, and was not pushed',
  checks_failed: 'a check failed on the work, and it was not pushed',
  agent_failed: 'the agent ended badly',
  conflict: 'the work could not be brought onto the moved base',
  closed: 'a person closed the pull request',
  timed_out: 'its time ran out',
  cancelled: 'it was cancelled',
  over_budget: 'its money ran out',
  skipped: 'a task that it needed ended badly',
  invalid: 'it could not be done as asked',
  error: 'the machinery failed, after all its retries',
}

/** What an outcome means, as a clause. */
export function meaningOf(outcome: Outcome): string {
  return meanings[outcome]
}
