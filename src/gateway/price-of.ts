import { prices, type Price, type Rates } from './prices.ts'
import { inputOf, type Tokens } from './tokens.ts'

/** Names that command lines have for whatever model is current; what they stand for is known with the first request. */
const standIns =
  /^(?:default|best|auto|opus|sonnet|haiku|fable|opusplan|pro|flash|flash-lite|auto-gemini-\d+(?:\.\d+)?)(?:\[1m\])?$/

/** Whether a name says nothing yet about which model it will be. */
export function isStandIn(model: string): boolean {
  return standIns.test(model.toLowerCase())
}

/**
 * The price of a model by any of its names: with a date, a version tag, or the prefix of a provider or of a cloud that
 * sells it on. `null`: none is known.
 */
export function priceOf(model: string): Price | null {
  for (const name of namesOf(model)) if (Object.hasOwn(prices, name)) return prices[name] ?? null
  return null
}

/** The forms of a name that may stand in the list, the most exact first. */
function namesOf(model: string): string[] {
  const plain = model
    .toLowerCase()
    .replace(/^.*\//, '')
    .replace(/^(?:[a-z]{2,6}\.)?(?:anthropic|openai|google)\./, '')
    .replace(/\[1m\]$/, '')
    .replace(/-v\d+(?::\d+)?$/, '')
    .replace(/[@:].*$/, '')
  const undated = plain.replace(/-(?:20\d{6}|20\d\d-\d\d-\d\d|latest|\d{4})$/, '')
  const released = undated.replace(/-(?:preview|exp|experimental)(?:-.*)?$/, '')
  const known = [plain, undated, released]
  // Some write Claude's versions with a dot.
  return [...known, ...known.map((name) => (name.startsWith('claude') ? name.replaceAll('.', '-') : name))]
}

const million = 1_000_000

/** US dollars for an answer. */
export function costOf(price: Price, tokens: Tokens): number {
  const rates = ratesFor(price, inputOf(tokens))
  return (
    (tokens.input * rates.input +
      tokens.cacheRead * rates.cacheRead +
      tokens.cacheWrite * rates.cacheWrite +
      tokens.cacheWriteHour * rates.cacheWriteHour +
      tokens.output * rates.output) /
    million
  )
}

/** US dollars that the input and each token of the output may cost at most, for so many tokens of input. */
export function largestCost(
  price: Price,
  inputTokens: number,
  cachesForAnHour: boolean,
): { inputUsd: number; outputTokenUsd: number } {
  const rates = ratesFor(price, inputTokens)
  const dearest = Math.max(rates.input, cachesForAnHour ? rates.cacheWriteHour : rates.cacheWrite)
  return { inputUsd: (inputTokens * dearest) / million, outputTokenUsd: rates.output / million }
}

function ratesFor(price: Price, inputTokens: number): Rates {
  return price.long !== null && inputTokens > price.long.above ? price.long : price
}
