import type { Environment } from './environment.ts'
import { ConfigurationError, type Settings } from './settings.ts'

/** Whether spans are wanted, and how they are sent. Throws {@link ConfigurationError}. */
export function tracingSettings(env: Environment): Settings['tracing'] {
  const endpoint = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? env.OTEL_EXPORTER_OTLP_ENDPOINT
  const exporter = env.OTEL_TRACES_EXPORTER ?? (endpoint === undefined ? 'none' : 'otlp')
  if (env.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || exporter === 'none') return null
  if (exporter !== 'otlp') {
    throw new ConfigurationError(`OTEL_TRACES_EXPORTER: must be otlp or none, and not ${exporter}`)
  }
  const protocol =
    env.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? env.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'http/protobuf'
  if (protocol === 'http/protobuf' || protocol === 'http/json') return { protocol }
  throw new ConfigurationError(
    `OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf or http/json, and not ${protocol}`,
  )
}
