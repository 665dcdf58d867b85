import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ProviderAccess, ProviderLogin } from '../model/provider-access.ts'
import type { GatewayStop } from '../ports/gateway.ts'
import type { Log } from '../ports/log.ts'
import { AnswerTap, passOn, readRefusal } from './answer.ts'
import { flatHeaders, headersBack, headersOnward } from './headers.ts'
import type { Price } from './prices.ts'
import { costOf, largestCost, priceOf } from './price-of.ts'
import type { Prepared, Provider, RefusedAnswer, Route } from './provider.ts'
import type { Purse } from './purse.ts'
import { BadRequest, readBody, type Body, type BodyRoom } from './request-body.ts'
import type { Tally } from './tally.ts'
import { inputOf, noTokens, type Tokens } from './tokens.ts'
import type { Upstream } from './upstream.ts'

/** What all requests of a session share. */
export interface Exchange {
  readonly provider: Provider
  readonly access: ProviderAccess
  readonly login: ProviderLogin
  readonly hostedTools: boolean
  readonly upstream: Upstream
  readonly purse: Purse
  readonly room: BodyRoom
  readonly tally: Tally
  readonly log: Log
  /** The most so far: of tokens to a byte of a request, since a model may count more than is usual; of one answer. */
  readonly seen: { tokensPerByte: number; answerTokens: number }
  /** Replaces the real key. */
  readonly mask: (text: string) => string
  /** The agent can get no further. */
  stop(stop: GatewayStop): void
  /** A model has answered. */
  answered(): void
  /** The provider has refused; may lead to a stop. */
  refused(answer: RefusedAnswer): void
}

/** Bytes of a request that make one token, usually. */
const bytesPerToken = 4
/** Tokens; no model takes more. */
const largestContext = 1_050_000
/** With fewer tokens left to say, an answer is not worth asking for. */
const fewestOutputTokens = 1024

/** Sends one request to the provider and its answer back. Rejects with {@link BadRequest}, or where a side broke off. */
export async function exchange(
  shared: Exchange,
  route: Route,
  asked: IncomingMessage,
  reply: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  if (asked.method === 'GET') return passAside(shared, route, asked, reply, null, signal)
  const body = await readBody(asked, shared.room)
  try {
    const path = asked.url ?? ''
    const prepared = shared.provider.prepare(body.json, path, { hostedTools: shared.hostedTools })
    if (prepared.stripped.length > 0) {
      shared.log.info('tools that run at the provider were taken out of a request', {
        tools: prepared.stripped,
      })
    }
    if (route.kind === 'aside') return await passAside(shared, route, asked, reply, body, signal)
    await ask(shared, route, asked, reply, { body, prepared, path, signal })
  } finally {
    body.release()
  }
}

/** What costs nothing. */
async function passAside(
  shared: Exchange,
  route: Route,
  asked: IncomingMessage,
  reply: ServerResponse,
  body: Body | null,
  signal: AbortSignal,
): Promise<void> {
  const answer = await send(shared, route, asked, body, signal)
  if (!isGood(answer)) return refuse(shared, answer, reply)
  await passOn(answer, reply, new AnswerTap(shared.provider.reader(), ''), signal)
}

interface Question {
  readonly body: Body
  readonly prepared: Prepared
  readonly path: string
  readonly signal: AbortSignal
}

async function ask(
  shared: Exchange,
  route: Route,
  asked: IncomingMessage,
  reply: ServerResponse,
  question: Question,
): Promise<void> {
  const { body, prepared, signal } = question
  const price = priceOf(prepared.model)
  const reservedUsd = await reserve(shared, price, question)
  let tap: AnswerTap | null = null
  let sent = false
  let good = false
  try {
    sent = true
    const answer = await send(shared, route, asked, body, signal)
    good = isGood(answer)
    if (!good) return await refuse(shared, answer, reply)
    tap = new AnswerTap(shared.provider.reader(), answer.headers['content-type'] ?? '')
    await passOn(answer, reply, tap, signal)
    const refused = tap.reader.refusal()
    if (refused === null) shared.answered()
    else shared.refused(refused)
  } catch (error) {
    // Nobody knows what the provider had begun, but what went in is known.
    if (tap === null && sent && signal.aborted) good = true
    throw error
  } finally {
    const tokens = good ? tokensOf(tap, body.bytes) : noTokens
    const { seen } = shared
    if (!prepared.keptContext) seen.tokensPerByte = Math.max(seen.tokensPerByte, inputOf(tokens) / body.bytes)
    seen.answerTokens = Math.max(seen.answerTokens, inputOf(tokens) + tokens.output)
    // The name that answered may be one of another price.
    const model = tap?.reader.model() ?? prepared.model
    const paid = priceOf(model) ?? price
    const costUsd = paid === null ? (good ? null : 0) : costOf(paid, tokens)
    shared.tally.add({ model: good ? model : null, tokens, costUsd })
    shared.purse.book({
      requests: 1,
      inputTokens: inputOf(tokens),
      cacheReadTokens: tokens.cacheRead,
      cacheWriteTokens: tokens.cacheWrite + tokens.cacheWriteHour,
      outputTokens: tokens.output,
      costUsd,
      reservedUsd,
    })
  }
}

/** Reserves the most that a request can cost; where less is left, the answer is limited to that. */
async function reserve(shared: Exchange, price: Price | null, question: Question): Promise<number> {
  const { purse, provider } = shared
  const { body, prepared, path, signal } = question
  if (!purse.capped) return 0
  if (price === null) {
    shared.stop({ kind: 'price_unknown', model: prepared.model })
    throw new BadRequest(
      400,
      `no price is known for the model ${prepared.model}, and there is a spending cap`,
    )
  }
  const { tokensPerByte, answerTokens } = shared.seen
  // An answer that it goes on from was one of this session, or is one that nobody here has seen.
  const kept = prepared.keptContext ? answerTokens || largestContext : 0
  const inputTokens = Math.ceil(body.bytes * tokensPerByte) + kept
  const hour = JSON.stringify(body.json['system'] ?? '').includes('"ttl":"1h"')
  const { inputUsd, outputTokenUsd } = largestCost(price, inputTokens, hour)
  const amount = {
    wantUsd: inputUsd + prepared.maxOutputTokens * outputTokenUsd,
    leastUsd: inputUsd + Math.min(prepared.maxOutputTokens, fewestOutputTokens) * outputTokenUsd,
  }
  const taken = await purse.take(amount, signal)
  if (taken.kind === 'over') {
    const { budget, spentUsd } = taken
    const capUsd = budget.capUsd ?? 0
    shared.stop({ kind: 'over_budget', scope: budget.scope, capUsd, spentUsd })
    throw new BadRequest(400, `the spending cap of $${capUsd.toFixed(2)} is reached`)
  }
  if (taken.usd < amount.wantUsd) {
    const maxTokens = Math.floor((taken.usd - inputUsd) / outputTokenUsd)
    provider.limitOutput(body.json, path, Math.max(1, maxTokens))
  }
  return taken.usd
}

/** What an answer says of itself, or what can be told from its size where it broke off or says nothing. */
function tokensOf(tap: AnswerTap | null, requestBytes: number): Tokens {
  const told = tap?.reader.tokens() ?? null
  if (told !== null && tap?.reader.ended() === true) return told
  const output = Math.ceil((tap?.said ?? 0) / bytesPerToken)
  const input = Math.ceil(requestBytes / bytesPerToken)
  if (told === null) return { ...noTokens, input, output }
  return { ...told, output: Math.max(told.output, output) }
}

function send(
  shared: Exchange,
  route: Route,
  asked: IncomingMessage,
  body: Body | null,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  // Written anew: what the provider reads is what was read here, without doubled names or other tricks.
  const bytes = body === null ? null : Buffer.from(JSON.stringify(body.json))
  return shared.upstream.send({
    method: asked.method ?? 'POST',
    url: `${shared.access.baseUrl}${route.path}`,
    headers: headersOnward(shared.provider, shared.login, asked.headers, bytes?.length ?? null),
    body: bytes,
    signal,
  })
}

function isGood({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
}

async function refuse(shared: Exchange, answer: IncomingMessage, reply: ServerResponse): Promise<void> {
  const status = answer.statusCode ?? 502
  const body = await readRefusal(answer)
  const refused = { status, headers: flatHeaders(answer.headers), body }
  const refusal = shared.provider.refusal(refused)
  shared.refused(refused)
  if (status < 400) {
    // Nobody is sent elsewhere with a key.
    throw new BadRequest(502, `the provider answered with status ${status}, which is not followed`)
  }
  // Providers repeat parts of a key that they refuse.
  const shown =
    refusal?.kind === 'login'
      ? shared.provider.error(status, 'the provider refused the login of this machine')
      : body
  const text = shared.mask(typeof shown === 'string' ? shown : JSON.stringify(shown))
  const headers = headersBack(answer.headers)
  delete headers['content-length']
  reply.writeHead(status, headers)
  reply.end(text)
}
