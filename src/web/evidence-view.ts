import { html } from 'hono/html'
import { elapsed } from '../model/elapsed.ts'
import type { CheckResult, Evidence, Violation } from '../model/evidence.ts'
import { asksForChanges } from '../model/review.ts'
import type { Task } from '../model/task.ts'
import { plainText } from './browser/ansi.js'
import type { Html } from './html.ts'
import { badge, moment, money, plural, shortNumber, type Look } from './words.ts'

const good: Look = { tone: 'good', sign: '✓', word: 'passed' }
const bad: Look = { tone: 'bad', sign: '✕', word: 'failed' }
const maxViolations = 200

/** The facts that prove how the task ended: what the gate found, what checks said, what the remote answered. */
export function evidenceView(task: Task): Html {
  const { evidence } = task
  if (evidence === null) return ''
  return html`${policyView(evidence)} ${checksView(evidence.checks)} ${reviewView(evidence)}
  ${proofView(evidence)} ${agentView(evidence)}`
}

function policyView({ policy }: Evidence): Html {
  if (policy === null) return ''
  return html`<section aria-labelledby="h-policy">
    <h2 id="h-policy">Policy ${badge(policy.passed ? good : { ...bad, word: 'broken' })}</h2>
    ${
      policy.violations.length === 0
        ? html`<p class="soft">No rule is broken.</p>`
        : html`<ul class="violations">
            ${policy.violations.slice(0, maxViolations).map(violationView)}
          </ul>`
    }
    ${
      policy.violations.length > maxViolations
        ? html`<p class="soft">and ${policy.violations.length - maxViolations} more</p>`
        : ''
    }
  </section>`
}

function violationView(violation: Violation): Html {
  const place = violation.line === null ? violation.file : `${violation.file}:${violation.line}`
  return html`<li>
    <code>${violation.rule}</code>
    ${place === null ? '' : html`<span class="mono">${plainText(place)}</span>`}
    <span class="message">${plainText(violation.message)}</span>
  </li>`
}

function checksView(checks: readonly CheckResult[]): Html {
  if (checks.length === 0) return ''
  return html`<section aria-labelledby="h-checks">
    <h2 id="h-checks">Checks</h2>
    ${checks.map(
      (check, index) =>
        html`<details class="check" id="check-${index}" ${passed(check) ? '' : html`open`}>
          <summary>
            ${badge(lookOf(check))} <span class="path">${plainText(check.name)}</span>
            <span class="soft">${howItEnded(check)}, ${elapsed(check.durationMs)}</span>
          </summary>
          <p class="mono command">${plainText(check.command)}</p>
          ${check.files.length === 0 ? '' : html`<p class="soft">on ${plural(check.files.length, 'file')}</p>`}
          ${
            (check.outputTail ?? '') === ''
              ? html`<p class="soft">It printed nothing.</p>`
              : // prettier-ignore
                html`<pre tabindex="0" role="region" aria-label="Output of ${plainText(check.name)}">${plainText(check.outputTail ?? '')}</pre>`
          }
        </details>`,
    )}
  </section>`
}

function passed(check: CheckResult): boolean {
  return check.exitCode === 0 || check.baselineFailed === true
}

function lookOf(check: CheckResult): Look {
  if (check.exitCode === 0) return good
  return check.baselineFailed === true ? { tone: 'calm', sign: '–', word: 'fails on the base, too' } : bad
}

function howItEnded(check: CheckResult): string {
  return check.exitCode === null ? 'did not end by itself' : `exit code ${check.exitCode}`
}

function reviewView({ review }: Evidence): Html {
  if (review === null) return ''
  const look = asksForChanges(review) ? { ...bad, word: 'changes asked for' } : { ...good, word: 'approved' }
  return html`<section aria-labelledby="h-review">
    <h2 id="h-review">Review ${badge(look)}</h2>
    ${
      review.findings.length === 0
        ? html`<p class="soft">Nothing was found.</p>`
        : html`<ul class="violations">
            ${review.findings.slice(0, maxViolations).map(
              ({ severity, file, line, message }) =>
                html`<li>
                  <code>${severity}</code>
                  <span class="mono">${plainText(`${file}${line === null ? '' : `:${line}`}`)}</span>
                  <span class="message">${plainText(message)}</span>
                </li>`,
            )}
          </ul>`
    }
  </section>`
}

function proofView(evidence: Evidence): Html {
  if (evidence.baseSha === null) return ''
  const rows: [string, Html | string | false][] = [
    ['Base', html`<span class="mono">${evidence.baseSha}</span>`],
    ['Head', evidence.headSha !== null && html`<span class="mono">${evidence.headSha}</span>`],
    ['Confirmed by the remote', evidence.confirmedAt !== null && moment(evidence.confirmedAt)],
    ['Work', evidence.commits > 0 && workOf(evidence)],
  ]
  return html`<section aria-labelledby="h-proof">
    <h2 id="h-proof">Proof</h2>
    ${factList(rows)}
  </section>`
}

function workOf(evidence: Evidence): string {
  const { commits, files, insertions, deletions } = evidence
  return `${plural(commits, 'commit')}, ${plural(files.length, 'file')}, +${insertions} −${deletions}`
}

function agentView({ agent }: Evidence): Html {
  if (agent === null) return ''
  const rows: [string, Html | string | false][] = [
    ['Name', agent.version === null ? agent.name : `${agent.name} ${agent.version}`],
    ['Exit code', agent.exitCode !== null && String(agent.exitCode)],
    ['Turns', agent.turns !== null && String(agent.turns)],
    ['Tokens in', agent.inputTokens !== null && shortNumber(agent.inputTokens)],
    ['Tokens out', agent.outputTokens !== null && shortNumber(agent.outputTokens)],
    ['Cost', agent.costUsd !== null && money(agent.costUsd)],
  ]
  return html`<section aria-labelledby="h-agent">
    <h2 id="h-agent">Agent</h2>
    ${factList(rows)}
  </section>`
}

/** Names and values; what is `false` is left out. */
export function factList(rows: readonly [string, Html | string | false][]): Html {
  return html`<dl class="facts">
    ${rows.map(([name, value]) =>
      value === false
        ? ''
        : html`<div>
            <dt>${name}</dt>
            <dd>${value}</dd>
          </div>`,
    )}
  </dl>`
}
