import type { Protocol, Refusal } from './scene.ts'

export interface Refused {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

/**
 * Refusals as the providers word them: Anthropic's errors page and its unified headers for subscriptions, OpenAI's
 * error codes and rate limit headers, Google's RPC status with RetryInfo and QuotaFailure. `resetMs` is how far the
 * time is away at which a limit is said to end.
 */
export function refusal(protocol: Protocol, kind: Refusal, facts: Facts): Refused {
  switch (protocol) {
    case 'anthropic':
      return anthropic(kind, facts)
    case 'responses':
    case 'chat':
      return openai(kind, facts)
    case 'gemini':
      return gemini(kind, facts)
    default:
      return protocol satisfies never
  }
}

interface Facts {
  readonly resetMs: number
  readonly model: string
  readonly subscription: boolean
}

function anthropic(kind: Refusal, { resetMs, model, subscription }: Facts): Refused {
  const of = (
    status: number,
    type: string,
    message: string,
    headers: Record<string, string> = {},
  ): Refused => ({
    status,
    headers: { 'request-id': 'req_stand_in', ...headers },
    body: { type: 'error', error: { type, message }, request_id: 'req_stand_in' },
  })
  const reset = new Date(Date.now() + resetMs)
  const epoch = String(Math.ceil(reset.getTime() / 1000))
  switch (kind) {
    case 'unauthorized':
      return of(401, 'authentication_error', 'invalid x-api-key')
    case 'forbidden':
      return of(
        403,
        'permission_error',
        'Your API key does not have permission to use the specified resource.',
      )
    case 'no-such-model':
      return of(404, 'not_found_error', `model: ${model}`)
    case 'too-many-requests':
      return of(
        429,
        'rate_limit_error',
        'Number of request tokens has exceeded your per-minute rate limit.',
        {
          'retry-after': '1',
          'anthropic-ratelimit-requests-limit': '50',
          'anthropic-ratelimit-requests-remaining': '49',
          'anthropic-ratelimit-requests-reset': new Date(Date.now() + 1000).toISOString(),
          'anthropic-ratelimit-input-tokens-limit': '30000',
          'anthropic-ratelimit-input-tokens-remaining': '0',
          'anthropic-ratelimit-input-tokens-reset': new Date(Date.now() + 1000).toISOString(),
        },
      )
    case 'limit-reached':
      if (subscription) {
        const message = "This request would exceed your account's rate limit. Please try again later."
        return of(429, 'rate_limit_error', message, {
          'retry-after': String(Math.ceil(resetMs / 1000)),
          'x-should-retry': 'true',
          'anthropic-ratelimit-unified-status': 'rejected',
          'anthropic-ratelimit-unified-representative-claim': 'five_hour',
          'anthropic-ratelimit-unified-reset': epoch,
          'anthropic-ratelimit-unified-5h-status': 'rejected',
          'anthropic-ratelimit-unified-5h-reset': epoch,
        })
      }
      return of(429, 'rate_limit_error', 'This request would exceed your organization’s rate limit.', {
        'anthropic-ratelimit-requests-remaining': '12',
        'anthropic-ratelimit-requests-reset': new Date(Date.now() + 500).toISOString(),
        'anthropic-ratelimit-output-tokens-remaining': '0',
        'anthropic-ratelimit-output-tokens-reset': reset.toISOString(),
      })
    case 'limit-reached-epoch':
      return of(429, 'rate_limit_error', `Claude AI usage limit reached|${epoch}`)
    case 'quota-spent':
      return of(
        400,
        'invalid_request_error',
        'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      )
    case 'broken':
      return of(500, 'api_error', 'Internal server error')
    case 'overloaded':
      return of(529, 'overloaded_error', 'Overloaded')
    default:
      return kind satisfies never
  }
}

function openai(kind: Refusal, { resetMs, model }: Facts): Refused {
  const of = (
    status: number,
    error: { message: string; type: string; code: string | null },
    headers: Record<string, string> = {},
  ): Refused => ({
    status,
    headers: { 'x-request-id': 'req_stand_in', ...headers },
    body: { error: { ...error, param: null } },
  })
  const seconds = Math.ceil(resetMs / 1000)
  const clock = `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m${seconds % 60}s`
  switch (kind) {
    case 'unauthorized': {
      const message =
        'Incorrect API key provided: sk-stand-****-in. You can find your API key in your account.'
      return of(401, { message, type: 'invalid_request_error', code: 'invalid_api_key' })
    }
    case 'forbidden': {
      const message = `Project does not have access to model ${model}`
      return of(403, { message, type: 'invalid_request_error', code: 'model_not_found' })
    }
    case 'no-such-model': {
      const message = `The model \`${model}\` does not exist or you do not have access to it.`
      return of(404, { message, type: 'invalid_request_error', code: 'model_not_found' })
    }
    case 'too-many-requests': {
      const message = `Rate limit reached for ${model} on tokens per min (TPM): Limit 30000, Used 29500, Requested 900. Please try again in 1.2s.`
      return of(
        429,
        { message, type: 'tokens', code: 'rate_limit_exceeded' },
        {
          'x-ratelimit-remaining-requests': '400',
          'x-ratelimit-reset-requests': '120ms',
          'x-ratelimit-remaining-tokens': '0',
          'x-ratelimit-reset-tokens': '1.2s',
        },
      )
    }
    case 'limit-reached': {
      const message = `Rate limit reached for ${model} on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in ${clock}.`
      return of(
        429,
        { message, type: 'requests', code: 'rate_limit_exceeded' },
        {
          'x-ratelimit-remaining-requests': '0',
          'x-ratelimit-reset-requests': clock,
          'x-ratelimit-remaining-tokens': '29000',
          'x-ratelimit-reset-tokens': '300ms',
        },
      )
    }
    case 'limit-reached-epoch':
      return {
        status: 429,
        headers: {},
        body: {
          error: {
            type: 'usage_limit_reached',
            message: 'The usage limit has been reached',
            plan_type: 'plus',
            resets_at: Math.ceil((Date.now() + resetMs) / 1000),
            resets_in_seconds: seconds,
          },
        },
      }
    case 'quota-spent': {
      const message = 'You exceeded your current quota, please check your plan and billing details.'
      return of(429, { message, type: 'insufficient_quota', code: 'insufficient_quota' })
    }
    case 'broken':
      return of(500, {
        message: 'The server had an error while processing your request.',
        type: 'server_error',
        code: null,
      })
    case 'overloaded':
      return of(503, {
        message: 'The engine is currently overloaded, please try again later.',
        type: 'server_error',
        code: null,
      })
    default:
      return kind satisfies never
  }
}

function gemini(kind: Refusal, { resetMs, model }: Facts): Refused {
  const of = (code: number, status: string, message: string, details: readonly unknown[] = []): Refused => ({
    status: code,
    headers: {},
    body: { error: { code, message, status, details } },
  })
  const type = (name: string) => `type.googleapis.com/google.rpc.${name}`
  const quota = (quotaId: string) => ({
    '@type': type('QuotaFailure'),
    violations: [
      {
        quotaMetric: 'generativelanguage.googleapis.com/generate_content_requests',
        quotaId,
        quotaDimensions: { location: 'global', model },
      },
    ],
  })
  const retry = (ms: number) => ({ '@type': type('RetryInfo'), retryDelay: `${ms / 1000}s` })
  const exceeded = 'You exceeded your current quota, please check your plan and billing details.'
  switch (kind) {
    case 'unauthorized':
      return of(400, 'INVALID_ARGUMENT', 'API key not valid. Please pass a valid API key.', [
        { '@type': type('ErrorInfo'), reason: 'API_KEY_INVALID', domain: 'googleapis.com' },
      ])
    case 'forbidden':
      return of(
        403,
        'PERMISSION_DENIED',
        'Generative Language API has not been used in this project before or it is disabled.',
        [{ '@type': type('ErrorInfo'), reason: 'SERVICE_DISABLED', domain: 'googleapis.com' }],
      )
    case 'no-such-model':
      return of(404, 'NOT_FOUND', `models/${model} is not found for API version v1beta.`)
    case 'too-many-requests':
      return of(429, 'RESOURCE_EXHAUSTED', `${exceeded} Please retry in 1.2s.`, [
        quota('GenerateRequestsPerMinutePerProjectPerModel'),
        retry(1200),
      ])
    case 'limit-reached':
      return of(429, 'RESOURCE_EXHAUSTED', exceeded, [
        quota('GenerateRequestsPerDayPerProjectPerModel'),
        retry(resetMs),
      ])
    case 'limit-reached-epoch':
      return of(429, 'RESOURCE_EXHAUSTED', `${exceeded} Please retry in ${resetMs / 1000}s.`)
    case 'quota-spent':
      return of(429, 'RESOURCE_EXHAUSTED', exceeded, [
        quota('GenerateRequestsPerDayPerProjectPerModel-FreeTier'),
      ])
    case 'broken':
      return of(500, 'INTERNAL', 'An internal error has occurred. Please retry.')
    case 'overloaded':
      return of(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')
    default:
      return kind satisfies never
  }
}
