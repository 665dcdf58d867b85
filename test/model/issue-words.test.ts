import { expect, it } from 'vitest'
import { z } from 'zod'
import { issueWords, pathName } from '../../src/model/issue-words.ts'

const schema = z.object({
  text: z.string(),
  name: z.string().min(3).max(5),
  count: z.number().int().min(1).max(9),
  money: z.number().positive(),
  kind: z.enum(['one', 'two']),
  list: z.array(z.number()).max(1),
  some: z.array(z.string().min(1)).min(1),
  own: z.string('must be a colour'),
})

it.each([
  [{ text: 1 }, 'text must be text'],
  [{ text: undefined }, 'text is needed'],
  [{ name: 'x' }, 'name must be at least 3 characters long'],
  [{ name: 'xxxxxx' }, 'name must be at most 5 characters long'],
  [{ count: 0 }, 'count must be at least 1'],
  [{ count: 1.5 }, 'count must be a whole number'],
  [{ money: 0 }, 'money must be more than 0'],
  [{ kind: 'three' }, 'kind must be one or two'],
  [{ list: [1, 2] }, 'list must be at most 1 entries long'],
  [{ list: ['x'] }, 'list[0] must be a number'],
  [{ some: [] }, 'some must not be empty'],
  [{ some: [''] }, 'some[0] must not be empty'],
  [{ own: 1 }, 'own must be a colour'],
])('%j: %s', (wrong, words) => {
  const good = { text: '', name: 'abc', count: 1, money: 1, kind: 'one', list: [], some: ['x'], own: '' }
  const issues = schema.safeParse({ ...good, ...wrong }).error?.issues ?? []
  expect(issues.map((issue) => `${pathName(issue.path)} ${issueWords(issue)}`)).toEqual([words])
})
