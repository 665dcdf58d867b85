import type { CheckResult } from '../model/evidence.ts'
import { formatDuration } from '../model/duration.ts'
import { dollars, list, mebibytes } from './phrases.ts'
import type { Reason } from './reasons.ts'

/** The reason in words, the same for API, command line and log. */
export function sentence(reason: Reason): string {
  switch (reason.kind) {
    case 'remote':
      return remoteSentence(reason)
    case 'repository_file_invalid':
      return `.nightshift.yaml of the base cannot be used: ${reason.faults.join('; ')}`
    case 'host_refused':
      return `The network that .nightshift.yaml asks for is not allowed: ${reason.message}`
    case 'image_unusable':
      return `No container can be made as .nightshift.yaml or NIGHTSHIFT_IMAGE says: ${reason.message}`
    case 'setup_failed': {
      const where = reason.on === 'base' ? 'on the base, before the agent' : 'on the work, before the checks'
      return `setup failed ${where}: \`${reason.command}\` ${reason.how}.${tail(reason.outputTail)}`
    }
    case 'agent_failed':
      return `The agent failed: ${reason.fault}.`
    case 'agent_silent':
      return `The agent said nothing for ${formatDuration(reason.silenceMs)} and was ended.`
    case 'agent_unavailable': {
      const found = reason.problems.map(({ what, todo }) => `${what}; to mend it: ${todo}`)
      return `The agent ${reason.agent} cannot work here: ${list(found)}`
    }
    case 'agent_unusable':
      return `The agent ${reason.agent} could not work: ${reason.how}.`
    case 'over_budget':
      return overBudgetSentence(reason)
    case 'price_unknown':
      return `No price is known for the model ${reason.model}, so that the cap on its cost could not be kept; leave out --max-cost, or name another model.`
    case 'out_of_memory':
      return `The step ${reason.step} used more than ${mebibytes(reason.memoryBytes)} of memory and was ended.`
    case 'nothing_changed':
      return 'The agent ended well but changed nothing, and changes were required.'
    case 'clone_unusable':
      return `The agent left the clone in a state that cannot be committed: ${reason.how}.`
    case 'work_unusable':
      return `The commits that the agent left are no sound git history: ${reason.message}`
    case 'work_too_large':
      return `The work is larger than ${mebibytes(reason.maxBytes)} when packed; nothing was pushed.`
    case 'policy_broken':
      return `The work breaks the policy: ${list(reason.violations.map((violation) => violation.message))}`
    case 'checks_failed':
      return `Checks failed: ${list(reason.failed.map(checkClause))}.`
    case 'branch_taken':
      return `The branch ${reason.branch} exists on ${reason.repo} and was not made by this task; it was left as it is.`
    case 'push_refused':
      return `The remote refused the push: ${reason.message}`
    case 'forge':
      return forgeSentence(reason)
    case 'proposal_refused':
      return `The branch was pushed, but the forge would not open a pull request: ${reason.message}`
    case 'pull_request_closed':
      return `The pull request ${reason.url} was closed without being merged.`
    case 'branch_deleted':
      return `Somebody deleted ${reason.branch}, the branch of the pull request ${reason.url}.`
    case 'forge_checks_failed':
      return `Checks failed on the pull request ${reason.url}, which stays open: ${list(reason.failed)}.`
    case 'review_unusable':
      return `The reviewer gave no answer that can be used: ${reason.fault}. What was pushed stays as it is.`
    case 'needs_conflict':
      return `What it needs does not go together: ${reason.branches.join(', ')} change the same places, in ${list(reason.files)}.`
    case 'conflict': {
      const last = reason.fault === '' ? '' : ` The last try was not taken: ${reason.fault}`
      return `The work does not go together with ${reason.base} at ${reason.sha}, in ${list(reason.files)}.${last}`
    }
    case 'timed_out':
      return `The time limit of ${formatDuration(reason.timeoutMs)} ran out.`
    case 'cancelled':
      return 'Cancelled.'
    case 'machinery':
      return reason.message
    default:
      return reason satisfies never
  }
}

function overBudgetSentence(reason: Extract<Reason, { kind: 'over_budget' }>): string {
  const cap = `the cap of ${dollars(reason.capUsd)} for this ${reason.scope}`
  const spent = `${dollars(reason.spentUsd)} were spent`
  if (reason.spentUsd >= reason.capUsd) return `${spent}, which is ${cap}.`
  return `${spent}, and the next request could have passed ${cap}.`
}

function remoteSentence(reason: Extract<Reason, { kind: 'remote' }>): string {
  switch (reason.fault) {
    case 'repository_not_found':
      return `There is no repository at ${reason.repo}, or these credentials may not see it: ${reason.message}`
    case 'branch_not_found':
      return reason.branch === null
        ? `The default branch that ${reason.repo} names does not exist there: say which base to start from.`
        : `The base branch ${reason.branch} does not exist on ${reason.repo}.`
    case 'repository_empty':
      return `The repository ${reason.repo} has no commit to start from.`
    case 'credentials_refused':
      return `${reason.repo} refused the credentials: ${reason.message}`
    case 'host_unknown':
      return `The host of ${reason.repo} is not known: ${reason.message}`
    case 'unreachable':
      return `${reason.repo} could not be reached: ${reason.message}`
    default:
      return reason.fault satisfies never
  }
}

function forgeSentence(reason: Extract<Reason, { kind: 'forge' }>): string {
  switch (reason.fault) {
    case 'credentials_refused':
      return `The forge of ${reason.repo} refused the token, which may be revoked or out of date: ${reason.message}`
    case 'forbidden':
      return `The token may not do what is needed on ${reason.repo}: ${reason.message}`
    case 'not_found':
      return `The forge does not know ${reason.repo}, or the token may not see it: ${reason.message}`
    case 'not_offered':
      return `The forge of ${reason.repo} does not offer what is needed: ${reason.message}`
    case 'archived':
      return `${reason.repo} is archived, so nothing can be changed there: ${reason.message}`
    case 'rate_limited':
    case 'unreachable':
    case 'unexpected':
      return `The forge of ${reason.repo} did not do as asked: ${reason.message}`
    default:
      return reason.fault satisfies never
  }
}

/** Why a worker takes nothing now. */
export function shortOfDisk(host: string, freeBytes: number, neededBytes: number): string {
  return `the disk of ${host} is nearly full: ${mebibytes(freeBytes)} are free, ${mebibytes(neededBytes)} are needed; make room there, and it goes on by itself`
}

/** Why a task waits while nothing of its runtime can be used. */
export function runtimeAway(message: string): string {
  return `${message}; it goes on by itself once that is over`
}

function checkClause(check: CheckResult): string {
  const how = check.exitCode === null ? 'did not end in time' : `exit code ${check.exitCode}`
  return `${check.name} (${how})`
}

function tail(output: string): string {
  const lines = output.trim().split('\n').slice(-3).join(' | ').slice(-300)
  return lines === '' ? '' : ` It said: ${lines}`
}

/** Why a task, or the account it works with, waits for its provider. */
export function quotaReason(quota: { account: string; message: string }): string {
  return `the account ${quota.account} has reached a limit of its provider: ${quota.message}`
}
