import { ROOT_CONTEXT, SpanStatusCode, trace, TraceFlags, type Span, type Tracer } from '@opentelemetry/api'
import {
  defaultResource,
  detectResources,
  envDetector,
  resourceFromAttributes,
} from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base'
import type { Task } from '../model/task.ts'
import type { AttemptTrace, Tracing } from '../ports/tracing.ts'
import { idsOf, TaskIds } from './trace-ids.ts'

export interface OpenedTracing extends Tracing {
  /** Sends what is left, for a few seconds at most. */
  close(): Promise<void>
}

const closeMs = 5000

/**
 * Sends spans by OTLP over http, as the standard variables of OpenTelemetry say (`OTEL_EXPORTER_OTLP_ENDPOINT`, headers,
 * sampling and batches among them; read by its own libraries). A task is a trace, its attempts and their steps are spans.
 */
export async function openTracing(options: {
  readonly protocol: 'http/protobuf' | 'http/json'
  readonly version: string
}): Promise<OpenedTracing> {
  const { OTLPTraceExporter } =
    options.protocol === 'http/json'
      ? await import('@opentelemetry/exporter-trace-otlp-http')
      : await import('@opentelemetry/exporter-trace-otlp-proto')
  const ids = new TaskIds()
  const provider = new BasicTracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'nightshift', 'service.version': options.version }))
      .merge(detectResources({ detectors: [envDetector] })),
    idGenerator: ids,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  })
  const tracer = provider.getTracer('nightshift', options.version)
  return {
    attempt: (task, facts) => traceAttempt(tracer, ids, task, facts),
    async close() {
      const over = Promise.withResolvers<void>()
      const timer = setTimeout(over.resolve, closeMs)
      // A collector that is away is no reason to stay.
      await Promise.race([provider.shutdown().catch(() => {}), over.promise])
      clearTimeout(timer)
    },
  }
}

function traceAttempt(
  tracer: Tracer,
  ids: TaskIds,
  task: Task,
  { attempt, workerId }: { readonly attempt: number; readonly workerId: string },
): AttemptTrace {
  const own = idsOf(task.id)
  const facts = {
    'nightshift.task': task.id,
    'nightshift.repo': task.repo,
    'nightshift.agent': task.agent,
    ...(task.runId === null ? {} : { 'nightshift.run': task.runId }),
  }
  const ofTask = trace.setSpanContext(ROOT_CONTEXT, {
    ...own,
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  })
  const attributes = { ...facts, 'nightshift.attempt': attempt, 'nightshift.worker': workerId }
  const span = tracer.startSpan(`attempt ${attempt}`, { attributes }, ofTask)
  const inAttempt = trace.setSpan(ofTask, span)
  return {
    step(step) {
      const started = tracer.startSpan(step, { attributes }, inAttempt)
      return (fault) => endSpan(started, fault)
    },
    end(how, outcome) {
      span.setAttribute('nightshift.end', how)
      endSpan(span, outcome === 'error' || how === 'retried' ? how : null)
      if (outcome === null) return
      // Known only now: it began when the task was submitted, maybe in another process.
      const startTime = new Date(task.createdAt)
      const options = { root: true, startTime, attributes: { ...facts, 'nightshift.outcome': outcome } }
      const whole = ids.using(own, () => tracer.startSpan('task', options))
      endSpan(whole, outcome === 'error' ? outcome : null)
    },
  }
}

function endSpan(span: Span, fault: string | null): void {
  if (fault !== null) span.setStatus({ code: SpanStatusCode.ERROR, message: fault.slice(0, 500) })
  span.end()
}
