import { describe, expect, it } from 'vitest'
import { createSharedQuestion } from '../../src/git/shared-question.ts'

describe('a shared question', () => {
  it('is asked twice for eight who come together, and everyone’s answer was asked for after they came', async () => {
    const share = createSharedQuestion<number>()
    const answers: ((value: number) => void)[] = []
    const ask = () => new Promise<number>((resolve) => answers.push(resolve))
    const eight = Array.from({ length: 8 }, () => share('key', ask))
    expect(answers).toHaveLength(1)
    answers[0]?.(1)
    await eight[0]
    await expect.poll(() => answers.length).toBe(2)
    const late = share('key', ask)
    answers[1]?.(2)
    expect(await Promise.all(eight)).toEqual([1, 2, 2, 2, 2, 2, 2, 2])
    await expect.poll(() => answers.length).toBe(3)
    answers[2]?.(3)
    expect(await late).toBe(3)
    const afterwards = share('key', ask)
    expect(answers).toHaveLength(4)
    answers[3]?.(4)
    expect(await afterwards).toBe(4)
  })

  it('that fails, fails for those who shared it, and is asked anew for the next', async () => {
    const share = createSharedQuestion<number>()
    const failing = () => Promise.reject(new Error('down'))
    const [first, second] = [share('key', failing), share('key', () => Promise.resolve(2))]
    await expect(first).rejects.toThrow('down')
    expect(await second).toBe(2)
  })
})
