import { describe, expect, it } from 'vitest'
import { costOf, isStandIn, priceOf } from '../../src/gateway/price-of.ts'
import { prices } from '../../src/gateway/prices.ts'
import { noTokens } from '../../src/gateway/tokens.ts'

describe('the price of a model', () => {
  it.each([
    ['claude-sonnet-4-5-20250929', 'claude-sonnet-4-5'],
    ['claude-sonnet-4-20250514', 'claude-sonnet-4'],
    ['claude-3-5-haiku-latest', 'claude-3-5-haiku'],
    ['Claude-Opus-4-6[1m]', 'claude-opus-4-6'],
    ['anthropic/claude-opus-4.5', 'claude-opus-4-5'],
    ['openrouter/anthropic/claude-haiku-4.5', 'claude-haiku-4-5'],
    ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'claude-sonnet-4-5'],
    ['claude-3-7-sonnet@20250219', 'claude-3-7-sonnet'],
    ['gpt-5-2025-08-07', 'gpt-5'],
    ['openai/gpt-5.1-codex-max', 'gpt-5.1-codex-max'],
    ['gpt-5.3-codex', 'gpt-5.3-codex'],
    ['models/gemini-2.5-pro', 'gemini-2.5-pro'],
    ['gemini-3-pro-preview', 'gemini-3-pro'],
    ['gemini-2.5-flash-preview-09-2025', 'gemini-2.5-flash'],
    ['google/gemini-2.5-flash-lite', 'gemini-2.5-flash-lite'],
  ])('is found for %s', (name, listed) => {
    expect(priceOf(name)).toBe(prices[listed])
    expect(priceOf(name)).toBeDefined()
  })

  it.each([
    'gpt-9',
    'claude',
    'claude-opus',
    'sonnet',
    'gpt-5-turbo',
    '',
    'toString',
    '__proto__',
    'gpt-5.3-codex-spark',
  ])('is not guessed for %s', (name) => {
    expect(priceOf(name)).toBeNull()
  })

  it('waits for the first request where a name stands for whatever is current', () => {
    expect(['opus', 'sonnet[1m]', 'haiku', 'auto'].every(isStandIn)).toBe(true)
    expect(['claude-opus-9', 'gpt'].some(isStandIn)).toBe(false)
  })

  it('counts each kind of token at its own rate', () => {
    const sonnet = priceOf('claude-sonnet-4-6')
    if (sonnet === null) throw new Error('there is no price')
    const tokens = { input: 1e6, cacheRead: 1e6, cacheWrite: 1e6, cacheWriteHour: 1e6, output: 1e6 }
    expect(costOf(sonnet, tokens)).toBeCloseTo(3 + 0.3 + 3.75 + 6 + 15, 9)
  })

  it('is the higher one for all of a request with a long input', () => {
    const pro = priceOf('gemini-2.5-pro')
    if (pro === null) throw new Error('there is no price')
    expect(costOf(pro, { ...noTokens, input: 200_000, output: 1000 })).toBeCloseTo(0.25 + 0.01, 9)
    expect(costOf(pro, { ...noTokens, input: 100_001, cacheRead: 100_000, output: 1000 })).toBeCloseTo(
      0.250_002_5 + 0.025 + 0.015,
      9,
    )
  })
})
