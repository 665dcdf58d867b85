import { cwd } from 'node:process'
import type { Command } from 'commander'
import { checkCheckout, RulesFault, type CheckoutReport } from '../core/check-checkout.ts'
import { holdsBack } from '../core/steps/check-runs.ts'
import { elapsed } from '../model/elapsed.ts'
import { CheckoutFault } from '../ports/checkout.ts'
import { exitCodes, UsageError } from './command-failure.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { harmless } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

interface CheckFlags extends CommonFlags {
  base?: string
  staged?: boolean
  checks: boolean
}

/** `check`: the gate on the checkout in hand, for continuous integration and as a pre-commit hook. */
export function addCheckCommand(
  program: Command,
  context: CliContext,
  setExitCode: (code: number) => void,
): void {
  const { terminal } = context
  program
    .command('check')
    .option(
      '--base <ref>',
      'what the work goes onto (default: the remote’s default branch; where none is known, main or master)',
    )
    .option('--staged', 'look at what is staged, and not at all that is in the folder')
    .option('--no-checks', 'judge the policy alone')
    .description('judge the checkout in hand as the gate would: policy, then checks')
    .addHelpText(
      'after',
      '\nThe rules are those of the base. The checks run in the folder itself, as you: not in a sandbox, and without set-up.' +
        '\nIn continuous integration: nightshift check --base origin/main' +
        '\nAs a hook: echo "exec npx nightshift check --staged" > .git/hooks/pre-commit && chmod +x .git/hooks/pre-commit' +
        '\nExit codes: 0 it would pass, 1 it would not, 2 there is nothing to be judged, or the rules cannot be read.',
    )
    .action(async (flags: CheckFlags) => {
      const settings = context.settings()
      const tools = await context.handTools(settings)
      const say = (text: string) => {
        if (flags.json !== true) terminal.say(harmless(text))
      }
      try {
        const checkout = await tools.checkouts.open(cwd(), {
          base: flags.base ?? null,
          staged: flags.staged === true,
          indexFile: settings.gitIndexFile,
        })
        try {
          const parts = { ...tools.parts(context.interrupted), say }
          const report = await checkCheckout(parts, checkout, { checks: flags.checks })
          context.interrupted.throwIfAborted()
          if (flags.json === true) await terminal.printJson(report)
          else await printReport(terminal, report)
          if (report.outcome !== 'passed') setExitCode(exitCodes.badOutcome)
        } finally {
          await checkout.close()
        }
      } catch (error) {
        if (error instanceof CheckoutFault || error instanceof RulesFault) throw new UsageError(error.message)
        throw error
      }
    })
}

async function printReport(terminal: Terminal, report: CheckoutReport): Promise<void> {
  const { base, files, policy, checks } = report
  const against = `${harmless(base.name)} (${base.sha.slice(0, 12)})`
  if (files.length === 0)
    terminal.say(`Nothing differs from ${against}; --base names something else to compare with.`)
  else terminal.say(`${files.length} ${files.length === 1 ? 'file' : 'files'} against ${against}`)
  for (const { message } of policy.violations) await terminal.print(harmless(message))
  for (const check of checks) {
    const held = holdsBack(check)
    const how = check.exitCode === null ? 'did not end in time' : `exit code ${check.exitCode}`
    const said = held ? how : check.baselineFailed === true ? 'passed, as it fails on the base too' : 'passed'
    await terminal.print(harmless(`${check.name}  ${said}  ${elapsed(check.durationMs)}`))
    if (!held) continue
    const shown = check.newFailures === undefined ? (check.outputTail ?? '') : check.newFailures.join('\n')
    await terminal.print(harmless(shown.trimEnd()))
  }
  terminal.say(
    report.reason === null
      ? terminal.paint('green', 'The gate would let it pass.', 'stderr')
      : terminal.paint('red', harmless(report.reason), 'stderr'),
  )
}
