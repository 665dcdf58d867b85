/** As the contract shows it. */
export const samplePlan = `---
repo: .            # ".": the repository that holds the plan
base: main
agent: claude
merge: checks
---
# Formatting helpers

## Batch 1: Helpers

### Task 1.1: Create formatting.py
Add \`format_bytes\` to backend/app/utils/formatting.py, with tests.

### Task 1.2: Write it down
\`\`\`yaml
agent: command
command: ./scripts/document.sh
paths: ["docs/**"]
\`\`\`

## Batch 2: Callers

### Task 2.1: Use format_bytes
\`\`\`yaml
needs: ["1.1"]
\`\`\`
Use it wherever a size is printed.
`

/** A plan of this many tasks in one batch, each with options and a text. */
export function longPlan(tasks: number, batches = 10): string {
  const parts = ['# A long plan\n']
  for (let number = 0; number < tasks; number += 1) {
    const batch = Math.floor((number * batches) / tasks)
    if (number === Math.ceil((batch * tasks) / batches)) parts.push(`## Batch ${batch}: Part ${batch}\n`)
    const options = `\`\`\`yaml\ntimeout: 5m\npaths: ["src/${number}/**"]\n\`\`\`\n`
    parts.push(`### Task ${number}: Do part ${number}\n${options}Some text with \`code\` and a [link](x).\n`)
  }
  return parts.join('\n')
}
