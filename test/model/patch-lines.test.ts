import { describe, expect, it } from 'vitest'
import { conflictMark, lostLines, shownLines } from '../../src/model/patch-lines.ts'

const patch = (path: string, ...lines: string[]) => {
  const old = lines.filter((line) => !line.startsWith('+')).length
  const now = lines.filter((line) => !line.startsWith('-')).length
  return `diff --git a/${path} b/${path}\n--- a/${path}\n+++ b/${path}\n@@ -1,${old} +1,${now} @@\n${lines.join('\n')}\n`
}

describe('the lines of a patch', () => {
  it('are shown where the new file has them, with those around', () => {
    const text = patch('a.txt', ' one', '-two', '+zwei', ' three') + patch('b c.txt', '+++ not a header')
    expect([...shownLines(text)]).toEqual(['a.txt:1', 'a.txt:2', 'a.txt:3', 'b c.txt:1'])
  })

  it('are lost where what others added is gone, or what they removed is back', () => {
    const theirs = patch('a.txt', ' one', '+theirs', '-old')
    expect(lostLines(theirs, patch('a.txt', ' one', '-theirs', '+ours'))).toEqual([
      { path: 'a.txt', text: 'theirs', lost: 'addition' },
    ])
    expect(lostLines(theirs, patch('a.txt', ' one', '+old'))).toEqual([
      { path: 'a.txt', text: 'old', lost: 'removal' },
    ])
  })

  it('are not lost where they only move, where another file has them, or where they say nothing', () => {
    const theirs = patch('a.txt', '+theirs', '+}')
    expect(lostLines(theirs, patch('a.txt', '-theirs', ' one', '+theirs'))).toEqual([])
    expect(lostLines(theirs, patch('b.txt', '-theirs'))).toEqual([])
    expect(lostLines(theirs, patch('a.txt', '-}'))).toEqual([])
  })

  it('tell an unresolved conflict by its marks, but not a line of equal signs', () => {
    expect(conflictMark(patch('a.md', '+Title', '+======='))).toBeNull()
    expect(conflictMark(patch('a.md', '+x', '+<<<<<<< base'))).toEqual({ path: 'a.md', line: 2 })
    expect(conflictMark(patch('a.md', '+>>>>>>> work'))).toEqual({ path: 'a.md', line: 1 })
    expect(conflictMark(patch('a.md', '-<<<<<<< base', ' <<<<<<< HEAD'))).toBeNull()
  })
})
