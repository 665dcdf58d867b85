import type { Command } from 'commander'
import { tasksOf } from '../model/plan/plan.ts'
import type { CliContext, CommonFlags } from './context.ts'
import { planLine, readPlanFile, type PlanFile } from './plan-file.ts'
import { oneLine, wrap } from './terminal-text.ts'
import type { Terminal } from './terminal.ts'

const examples = `Examples:
  nightshift plan check plan.md
  nightshift plan check plan.md --json
`

/** `plan check`: reads a plan and prints its batches; nothing runs. */
export function addPlanCommands(program: Command, context: CliContext): void {
  const { terminal } = context
  program
    .command('plan')
    .description('work with plans')
    .command('check')
    .argument('<file>', 'a plan in Markdown')
    .description('validate a plan and print its batches; nothing runs')
    .addHelpText('before', examples)
    .action(async (file: string, flags: CommonFlags) => {
      const read = await readPlanFile(file)
      if (flags.json === true) {
        const { plan, warnings } = read
        const { title, repo, defaults, batches } = plan
        const { length: tasks } = tasksOf(plan)
        await terminal.printJson({ ok: true, file, title, repo, defaults, tasks, batches, warnings })
        return
      }
      await terminal.print(planText(read, terminal))
      for (const warning of read.warnings) terminal.say(`warning: ${planLine(file, warning)}`)
    })
}

function planText({ plan }: PlanFile, terminal: Terminal): string {
  const { width } = terminal
  const tasks = tasksOf(plan)
  const count = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'} in ${plan.batches.length} ${plan.batches.length === 1 ? 'batch' : 'batches'}`
  const lines = [wrap(plan.title === '' ? count : `${plan.title}: ${count}`, width)]
  for (const batch of plan.batches) {
    const title = batch.title === '' ? '' : `: ${batch.title}`
    lines.push('', terminal.paint('bold', oneLine(`Batch ${batch.id}${title}`, width)))
    for (const task of batch.tasks) {
      const needs = task.needs.length === 0 ? '' : ` (needs ${task.needs.join(', ')})`
      lines.push(`  ${oneLine(`${task.id} ${task.title}${needs}`, width - 2)}`)
    }
  }
  return lines.join('\n')
}
