/** US dollars for a million tokens. */
export interface Rates {
  readonly input: number
  readonly output: number
  readonly cacheRead: number
  readonly cacheWrite: number
  /** Caches that last for an hour; as `cacheWrite` where there are none. */
  readonly cacheWriteHour: number
}

export interface Price extends Rates {
  /** What all of a request costs whose input is larger than so many tokens. */
  readonly long: (Rates & { readonly above: number }) | null
}

/** When the list below was last compared with the providers' own. */
export const pricesAsOf = '2026-11-25'

/** Anthropic: writing a cache costs 1.25 times the input, for an hour twice; reading one a tenth, unless told. */
function claude(input: number, output: number, cacheRead = input / 10, long: Price['long'] = null): Price {
  return { input, output, cacheRead, cacheWrite: input * 1.25, cacheWriteHour: input * 2, long }
}

/** OpenAI and Google: caches are kept by themselves, and writing one costs the input unless told. */
function other(rates: Pick<Rates, 'input' | 'output' | 'cacheRead'> & { cacheWrite?: number }): Rates {
  const cacheWrite = rates.cacheWrite ?? rates.input
  return { ...rates, cacheWrite, cacheWriteHour: cacheWrite }
}

function flat(input: number, output: number, cacheRead = input, cacheWrite = input): Price {
  return { ...other({ input, output, cacheRead, cacheWrite }), long: null }
}

/** Above so many tokens of input, twice the price of input and one and a half times that of output. */
function tiered(above: number, price: Price): Price {
  const { input, output, cacheRead, cacheWrite } = price
  const rates = {
    input: input * 2,
    output: output * 1.5,
    cacheRead: cacheRead * 2,
    cacheWrite: cacheWrite * 2,
  }
  return { ...price, long: { ...other(rates), above } }
}

const gpt = (price: Price): Price => tiered(272_000, price)
const geminiPro = (price: Price): Price => tiered(200_000, price)

/**
 * List prices of the providers' standard service: platform.claude.com/docs/en/about-claude/pricing,
 * developers.openai.com/api/docs/pricing, ai.google.dev/gemini-api/docs/pricing. Where a price is lowered for a time,
 * the usual one stands here. Names without date, in lower case.
 */
export const prices: Readonly<Record<string, Price>> = {
  'claude-fable-5-1': claude(10, 50, 0.25),
  'claude-mythos-5-1': claude(10, 50, 0.25),
  'claude-fable-5': claude(10, 50),
  'claude-mythos-5': claude(10, 50),
  'claude-opus-5-5': claude(4, 20, 0.2),
  'claude-opus-5': claude(5, 25),
  'claude-opus-4-8': claude(5, 25),
  'claude-opus-4-7': claude(5, 25),
  'claude-opus-4-6': claude(5, 25),
  'claude-opus-4-5': claude(5, 25),
  'claude-opus-4-1': claude(15, 75),
  'claude-opus-4': claude(15, 75),
  'claude-opus-4-0': claude(15, 75),
  'claude-3-opus': claude(15, 75),
  'claude-sonnet-5-5': claude(2, 10, 0.1),
  'claude-sonnet-5': claude(2, 10),
  'claude-sonnet-4-6': claude(3, 15),
  'claude-sonnet-4-5': claude(3, 15, 0.3, { ...claude(6, 22.5), above: 200_000 }),
  'claude-sonnet-4': claude(3, 15, 0.3, { ...claude(6, 22.5), above: 200_000 }),
  'claude-sonnet-4-0': claude(3, 15, 0.3, { ...claude(6, 22.5), above: 200_000 }),
  'claude-3-7-sonnet': claude(3, 15),
  'claude-3-5-sonnet': claude(3, 15),
  'claude-haiku-5-5': claude(0.1, 0.5, 0.01, { ...claude(0.5, 2.5), above: 100_000 }),
  'claude-haiku-4-5': claude(1, 5),
  'claude-3-5-haiku': claude(0.8, 4),
  'claude-3-haiku': claude(0.25, 1.25, 0.03),

  'gpt-6.2-astra': gpt(flat(8, 40, 0.4, 10)),
  'gpt-6.2-sol': gpt(flat(2, 10, 0.1, 2.5)),
  'gpt-6-sol': gpt(flat(2, 10, 0.2, 2.5)),
  'gpt-6-luna': gpt(flat(0.1, 0.5, 0.01, 0.125)),
  'gpt-5.6-sol': gpt(flat(5, 30, 0.5, 6.25)),
  'gpt-5.6-terra': gpt(flat(2, 12, 0.2, 2.5)),
  'gpt-5.6-luna': tiered(200_000, flat(0.2, 1.2, 0.02, 0.25)),
  'gpt-5.5-pro': flat(30, 180),
  'gpt-5.5': gpt(flat(5, 30, 0.5)),
  'gpt-5.4-pro': flat(30, 180),
  'gpt-5.4': gpt(flat(2.5, 15, 0.25)),
  'gpt-5.4-mini': flat(0.75, 4.5, 0.075),
  'gpt-5.4-nano': flat(0.2, 1.25, 0.02),
  'gpt-5.3-codex': flat(1.75, 14, 0.175),
  'gpt-5.2-pro': flat(21, 168),
  'gpt-5.2-codex': flat(1.75, 14, 0.175),
  'gpt-5.2': flat(1.75, 14, 0.175),
  'gpt-5.1-codex-max': flat(1.25, 10, 0.125),
  'gpt-5.1-codex-mini': flat(0.25, 2, 0.025),
  'gpt-5.1-codex': flat(1.25, 10, 0.125),
  'gpt-5.1': flat(1.25, 10, 0.125),
  'gpt-5-codex': flat(1.25, 10, 0.125),
  'gpt-5-pro': flat(15, 120),
  'gpt-5-mini': flat(0.25, 2, 0.025),
  'gpt-5-nano': flat(0.05, 0.4, 0.005),
  'gpt-5': flat(1.25, 10, 0.125),
  'codex-mini': flat(1.5, 6, 0.375),
  'gpt-4.1': flat(2, 8, 0.5),
  'gpt-4.1-mini': flat(0.4, 1.6, 0.1),
  'gpt-4.1-nano': flat(0.1, 0.4, 0.025),
  'gpt-4o': flat(2.5, 10, 1.25),
  'gpt-4o-mini': flat(0.15, 0.6, 0.075),
  o1: flat(15, 60, 7.5),
  o3: flat(2, 8, 0.5),
  'o3-pro': flat(20, 80),
  'o3-mini': flat(1.1, 4.4, 0.55),
  'o4-mini': flat(1.1, 4.4, 0.275),

  'gemini-4-neon': flat(3, 15, 0.15),
  'gemini-4-hydrogen': flat(1.5, 7.5, 0.075),
  'gemini-3.8-flash': flat(1.5, 7.5, 0.15),
  'gemini-3.7-flash': flat(1.5, 7.5, 0.15),
  'gemini-3.6-flash': flat(1.5, 7.5, 0.15),
  'gemini-3.5-flash': flat(1.5, 9, 0.15),
  'gemini-3.5-flash-lite': flat(0.3, 2.5, 0.03),
  'gemini-3.1-pro': geminiPro(flat(2, 12, 0.2)),
  'gemini-3.1-flash-lite': flat(0.25, 1.5, 0.025),
  'gemini-3-pro': geminiPro(flat(2, 12, 0.2)),
  'gemini-3-flash': flat(0.5, 3, 0.05),
  'gemini-2.5-pro': geminiPro(flat(1.25, 10, 0.125)),
  'gemini-2.5-flash': flat(0.3, 2.5, 0.03),
  'gemini-2.5-flash-lite': flat(0.1, 0.4, 0.01),
  'gemini-2.0-flash': flat(0.1, 0.4, 0.025),
  'gemini-2.0-flash-lite': flat(0.075, 0.3),
}
