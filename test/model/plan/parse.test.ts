import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parsePlan } from '../../../src/model/plan/parse.ts'
import { tasksOf, type Plan } from '../../../src/model/plan/plan.ts'
import { requestOf } from '../../../src/model/plan/requests.ts'
import { longPlan, samplePlan } from './sample.ts'

function read(text: string): Plan {
  const parsed = parsePlan(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.plan
}

/** `line: message`, one a line. */
function faults(text: string): string {
  const parsed = parsePlan(text)
  return parsed.ok ? '' : parsed.faults.map(({ line, message }) => `${line}: ${message}`).join('\n')
}

function warnings(text: string): string {
  const parsed = parsePlan(text)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.faults))
  return parsed.warnings.map(({ line, message }) => `${line}: ${message}`).join('\n')
}

/** A plan of one batch with one task of these options. */
function withOptions(options: string, body = 'Text.'): string {
  return `## Batch 1: One\n\n### Task 1.1: Do it\n\`\`\`yaml\n${options}\n\`\`\`\n${body}\n`
}

describe('a plan', () => {
  it('is read as the contract shows it', () => {
    const plan = read(samplePlan)
    expect(plan).toMatchObject({
      title: 'Formatting helpers',
      repo: '.',
      defaults: { base: 'main', agent: 'claude', merge: 'checks' },
    })
    expect(plan.batches.map(({ id, title }) => [id, title])).toEqual([
      ['1', 'Helpers'],
      ['2', 'Callers'],
    ])
    expect(tasksOf(plan)).toMatchObject([
      {
        id: '1.1',
        title: 'Create formatting.py',
        line: 11,
        needs: [],
        prompt: 'Create formatting.py\n\nAdd `format_bytes` to backend/app/utils/formatting.py, with tests.',
      },
      {
        id: '1.2',
        prompt: 'Write it down',
        options: { agent: 'command', command: './scripts/document.sh', paths: ['docs/**'] },
      },
      { id: '2.1', needs: ['1.1'], prompt: 'Use format_bytes\n\nUse it wherever a size is printed.' },
    ])
  })

  it('is the same with any line ends, and with a byte order mark', () => {
    const plain = read(samplePlan)
    expect(read(samplePlan.replaceAll('\n', '\r\n'))).toEqual(plain)
    expect(read(samplePlan.replaceAll('\n', '\r'))).toEqual(plain)
    expect(read(`\ufeff${samplePlan}`)).toEqual(plain)
  })

  it('keeps tabs, lists within lists, code with headings in it and quotations in the prompt', () => {
    const body = `1. First
\t- a tab before
\t\t- two of them

    ### Task 9.9: indented, so it is code

\`\`\`markdown
## Batch 7: not a batch
### Task 7.1: not a task
\`\`\`

~~~yaml
agent: not an option
~~~

> ### Task 8.1: quoted

<!--
### Task 6.1: out of use
-->

- ### Task 5.1: in a list

#### A heading of its own

Last line.`
    const plan = read(`## Batch 1: One\n### Task 1.1: Do it\n${body}\n\n### Task 1.2: Next\n`)
    expect(tasksOf(plan).map((task) => task.prompt)).toEqual([`Do it\n\n${body}`, 'Next'])
  })

  it('takes titles of any writing, and ids of any text', () => {
    const plan = read(
      '## Batch 一：格式化\n### Task 甲：格式化工具を作る\n본문\n### Task б-2: Добавить тесты ёж\n### Task 1.10: 🎉 a: b: c\n',
    )
    expect(plan.batches[0]).toMatchObject({ id: '一', title: '格式化' })
    expect(tasksOf(plan).map(({ id, title }) => [id, title])).toEqual([
      ['甲', '格式化工具を作る'],
      ['б-2', 'Добавить тесты ёж'],
      ['1.10', '🎉 a: b: c'],
    ])
  })

  it('keeps a title as it is written, so that Markdown takes nothing from a file name', () => {
    const plan = read('## Batch 1\n### Task 1: Move `a` from __init__.py to *b* ###\n')
    expect(tasksOf(plan)[0]).toMatchObject({ prompt: 'Move `a` from __init__.py to *b*' })
    expect(plan.batches[0]).toMatchObject({ id: '1', title: '' })
  })

  it('takes ids as text: 1.10 is not 1.1, quoted or not', () => {
    const plan = read(
      '## Batch 1: A\n### Task 1.1: One\n### Task 1.10: Ten\n## Batch 2: B\n### Task 2.1: Both\n```yaml\nneeds: [1.10, "1.1"]\n```\n### Task 2.2: Single\n```yaml\nneeds: 1.10\n```\n',
    )
    expect(tasksOf(plan).map((task) => task.needs)).toEqual([[], [], ['1.10', '1.1'], ['1.10']])
  })

  it('takes what stands in the file where text is meant, and one entry for a list', () => {
    const plan = read(withOptions('command: true\nbase: 1.10\npaths: docs/**\nmaxCost: 2.50\npriority: -3'))
    expect(tasksOf(plan)[0]?.options).toEqual({
      command: 'true',
      base: '1.10',
      paths: ['docs/**'],
      maxCost: 2.5,
      priority: -3,
    })
  })

  it('reads sections that are no batch as prose', () => {
    const plan = read(
      '# T\nText\n## Background\n### Why\nText\n## Batch 1: A\nWords.\n### Task 1: X\n## Notes\n### More\n',
    )
    expect(tasksOf(plan).map((task) => task.prompt)).toEqual(['X'])
  })

  it('of 1,000 tasks is read within seconds', () => {
    const text = longPlan(1000)
    const start = process.cpuUsage()
    const plan = read(text)
    // Time of the processor: the machine may be busy with something else.
    const tookMs = process.cpuUsage(start).user / 1000
    expect(plan.batches).toHaveLength(10)
    expect(tasksOf(plan)).toHaveLength(1000)
    expect(tookMs).toBeLessThan(3000)
  })
})

describe('a plan is refused, with the line,', () => {
  const cases: readonly (readonly [why: string, text: string, fault: string])[] = [
    ['without a task', '# Title\n\n## Batch 1: Nothing\n', '1: the plan has no task'],
    ['that is empty', '', '1: the plan has no task'],
    [
      'with two tasks of one id',
      '## Batch 1: A\n### Task 1.1: X\n\n### Task 1.1: Y\n',
      '4: there are two tasks 1.1: the other is on line 2',
    ],
    [
      'with two batches of one id',
      '## Batch 1: A\n### Task 1: X\n## Batch 1: B\n### Task 2: Y\n',
      '3: there are two batches 1: the other is on line 1',
    ],
    [
      'with an unknown need',
      `# T\n${withOptions('timeout: 5m\nneeds: ["9.9"]')}`,
      '7: needs: task 1.1: there is no task 9.9 in this plan',
    ],
    [
      'with an unknown option',
      withOptions('timeout: 5m\ntimout: 45m'),
      '6: task 1.1: timout: is no option of a task; there are agent,',
    ],
    [
      'with an unknown key in the front matter',
      '---\nrepo: .\nfoo: 1\n---\n## Batch 1: A\n### Task 1: X\n',
      '3: foo: is no option of the front matter',
    ],
    ['with a value that is none', withOptions('timeout: soon'), '5: task 1.1: timeout: must be a duration'],
    [
      'with an agent that there is not',
      withOptions('agent: gpt'),
      '5: task 1.1: agent: must be claude or codex',
    ],
    [
      'with a number where text is needed',
      withOptions('agent: [claude]'),
      '5: task 1.1: agent: must be claude',
    ],
    ['with options that are no YAML', withOptions('needs: ["1'), '5: task 1.1: is not valid YAML'],
    [
      'with options that are a list',
      withOptions('- agent'),
      '5: task 1.1: the options: must hold keys with values (key: value) and nothing else',
    ],
    ['with a task that needs itself', withOptions('needs: ["1.1"]'), '5: needs: task 1.1: 1.1 needs itself'],
    [
      'with a circle of needs',
      '## Batch 1: A\n### Task a: X\n```yaml\nneeds: [c]\n```\n### Task b: Y\n```yaml\nneeds: [a]\n```\n### Task c: Z\n```yaml\nneeds: [b]\n```\n',
      '4: needs: task a: is a circle: a → c → b → a',
    ],
    [
      'with a need of a later batch',
      '## Batch 1: A\n### Task a: X\n```yaml\nneeds: [b]\n```\n## Batch 2: B\n### Task b: Y\n',
      '4: needs: task a: b stands in a later batch',
    ],
    ['with a task outside of a batch', '# T\n### Task 1: X\n', '2: task 1 stands in no batch'],
    [
      'with a task that has no id',
      '## Batch 1: A\n### Task: X\n### Task\n',
      '2: is no task: write ### Task ID: Title',
    ],
    ['with a task that has no title', '## Batch 1: A\n### Task 1.1:\nBody\n', '2: task 1.1 has no title'],
    [
      'with a heading that is nearly a task',
      '## Batch 1: A\n### Taks 1.1: X\n',
      '2: is no task: write ### Task ID: Title',
    ],
    [
      'with a task at the level of batches',
      '## Batch 1: A\n## Task 1.1: X\n',
      '2: is at the wrong level: write ### Task',
    ],
    [
      'with a batch at the level of tasks',
      '### Batch 1: A\n#### Task 1.1: X\n',
      '1: is at the wrong level: write ## Batch',
    ],
    [
      'with options under a batch',
      '## Batch 1: A\n```yaml\nagent: command\n```\n### Task 1: X\n',
      '2: a batch has no options',
    ],
    [
      'with front matter that has no end',
      '---\nrepo: .\n\n## Batch 1: A\n### Task 1: X\n',
      '1: the front matter has no end',
    ],
    [
      'with needs for all',
      '---\nneeds: [a]\n---\n## Batch 1: A\n### Task a: X\n',
      '2: needs: is no option of the front matter',
    ],
    [
      'with one branch for all',
      '---\nbranch: x\n---\n## Batch 1: A\n### Task a: X\n',
      '2: branch: each task has a branch of its own',
    ],
    [
      'with one branch for two',
      `${withOptions('branch: x')}### Task 1.2: Y\n\`\`\`yaml\nbranch: x\n\`\`\`\n`,
      '10: branch: task 1.2: is the branch of task 1.1, too',
    ],
    ['with bytes that are no text', '## Batch 1: A\n### Task 1: \0\n', '2: the plan is not plain UTF-8 text'],
    ['with quotations without end', `# T\n${'>'.repeat(100_000)}`, '2: quotations are nested too deeply'],
    ['that is too large', 'x'.repeat(1024 * 1024 + 1), '1: the plan is larger than 1024 KB'],
  ]
  for (const [why, text, fault] of cases) {
    it(why, () => {
      expect(faults(text)).toContain(fault)
      expect(faults(text.replaceAll('\n', '\r\n'))).toContain(fault)
    })
  }

  it('with all that is wrong at once, in the order of the lines', () => {
    const text = `${withOptions('timout: 5m')}### Task 1.1: Again\n\`\`\`yaml\nneeds: ["x"]\n\`\`\`\n`
    expect(
      faults(text)
        .split('\n')
        .map((line) => line.split(':')[0]),
    ).toEqual(['5', '8', '10'])
  })
})

describe('a warning', () => {
  it('is given for a later batch that needs nothing', () => {
    const text = '## Batch 1: A\n### Task 1: X\n## Batch 2: B\n### Task 2: Y\n'
    expect(warnings(text)).toBe(
      '3: batch 2 has no needs: since nothing is merged, it starts from the base, without what batch 1 made',
    )
    expect(warnings(`---\nmerge: checks\n---\n${text}`)).toContain('it starts from what is merged by then')
    expect(warnings(samplePlan)).toBe('')
  })

  it('is given for a batch without tasks, and for what looks like a task in the text of one', () => {
    expect(warnings('## Batch 1: A\n## Batch 2: B\n### Task 1: X\n#### Task 2: Y\n')).toBe(
      '1: batch 1 has no task\n4: is part of the text of the task above: a task of its own is written ### Task ID: Title',
    )
  })
})

describe('the request of a task', () => {
  const plan = read(`---
agent: claude
timeout: 5m
runtime: local
---
## Batch 1: A
### Task 1: Own command
\`\`\`yaml
command: ./a.sh
timeout: 1m
\`\`\`
### Task 2: Nothing of its own
`)
  const [one, two] = tasksOf(plan)
  if (one === undefined || two === undefined) throw new Error('the plan has two tasks')

  it('has the options of the task, else those given, else those of the front matter', () => {
    expect(requestOf(plan, one, 'r', { timeout: '2m', priority: 7 })).toEqual({
      repo: 'r',
      prompt: 'Own command',
      agent: 'command',
      command: './a.sh',
      timeout: '1m',
      runtime: 'local',
      priority: 7,
    })
    expect(requestOf(plan, two, 'r', {})).toMatchObject({ agent: 'claude', timeout: '5m' })
  })

  it('has the agent that a command implies, and no command for an agent that takes none', () => {
    expect(requestOf(plan, two, 'r', { command: './b.sh' })).toMatchObject({
      agent: 'command',
      command: './b.sh',
    })
    const commands = read(
      '---\ncommand: ./x.sh\n---\n## Batch 1: A\n### Task 1: X\n```yaml\nagent: codex\n```\n',
    )
    const [task] = tasksOf(commands)
    expect(task && requestOf(commands, task, 'r', {})).toEqual({ repo: 'r', prompt: 'X', agent: 'codex' })
  })
})

describe('any text', () => {
  it('is either a plan with tasks or has faults, and is never thrown at', () => {
    const piece = fc.constantFrom(
      '# ',
      '## Batch 1: A',
      '### Task 1: X',
      '```yaml',
      '```',
      'needs: [1]',
      '---',
      '> ',
      '- ',
      '\t',
      '\r\n',
      '\n',
      '<!--',
      '-->',
      'x',
      '*a',
      '&b [*b]',
      '\u2028',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const parsed = parsePlan(pieces.join(''))
        if (parsed.ok) expect(tasksOf(parsed.plan).length).toBeGreaterThan(0)
        else expect(parsed.faults.length).toBeGreaterThan(0)
      }),
      { numRuns: 500 },
    )
  })
})
