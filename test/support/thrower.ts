import type { PipelineParts } from '../../src/core/attempt.ts'

/** Where a call throws: which method of which port, from which of its calls on, and whether only that one. */
export interface Throw {
  /** For example `publisher.push` or `runtime.open().exec`. */
  readonly method: string
  /** Counted from 1, over all attempts. */
  readonly call: number
  /** How many calls throw, from that one on. */
  readonly times: number
  readonly value: unknown
  /** Rejects, instead of throwing at once. */
  readonly rejects: boolean
}

/** Calls of every method of every port that were made, and whether it answers with a promise. */
export type Trace = Map<string, { calls: number; async: boolean }>

type AnyFunction = (...args: unknown[]) => unknown

/** The very ports, each method of which, and each method of what they hand out, can be made to throw. */
export function throwing(parts: PipelineParts, planned: Throw | null, trace: Trace): PipelineParts {
  const originals = new WeakMap<object, object>()
  const unwrapped = (value: unknown) =>
    typeof value === 'object' && value !== null ? (originals.get(value) ?? value) : value

  function called(name: string, isAsync: boolean): void {
    const seen = trace.get(name) ?? { calls: 0, async: isAsync }
    trace.set(name, { calls: seen.calls + 1, async: isAsync || seen.async })
  }

  function isDue(name: string): boolean {
    if (planned?.method !== name) return false
    const calls = (trace.get(name)?.calls ?? 0) + 1
    return calls >= planned.call && calls < planned.call + planned.times
  }

  function method(name: string, original: AnyFunction, self: object | undefined): AnyFunction {
    return (...args) => {
      if (isDue(name)) {
        called(name, false)
        if (planned?.rejects === true) return Promise.reject(planned.value)
        throw planned?.value
      }
      const answer = original.apply(self, args.map(unwrapped))
      called(name, answer instanceof Promise)
      return answer instanceof Promise
        ? answer.then((value: unknown) => handedOut(name, value))
        : handedOut(name, answer)
    }
  }

  /** What has methods of its own, or holds something that has. */
  function handedOut(name: string, value: unknown): unknown {
    if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value
    if (value instanceof AbortSignal || value instanceof Map || Array.isArray(value)) return value
    const hasMethods = Object.values(value).some((part) => typeof part === 'function') || isInstance(value)
    if (hasMethods) return port(`${name}()`, value)
    if ('work' in value) return { ...value, work: handedOut(name, value.work) }
    return value
  }

  function port<T extends object>(name: string, target: T): T {
    const proxy = new Proxy(target, {
      get(_, key) {
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function' || typeof key !== 'string') return value
        return method(`${name}.${key}`, value as AnyFunction, target)
      },
    })
    originals.set(proxy, target)
    return proxy
  }

  return {
    ...parts,
    store: port('store', parts.store),
    publisher: port('publisher', parts.publisher),
    runtimes: parts.runtimes.map((runtime) => port('runtime', runtime)),
    agents: new Map([...parts.agents].map(([name, agent]) => [name, port('agent', agent)])),
    gateway: port('gateway', parts.gateway),
    forge: parts.forge === null ? null : port('forge', parts.forge),
    scanSecrets: method(
      'scanSecrets',
      parts.scanSecrets as AnyFunction,
      undefined,
    ) as typeof parts.scanSecrets,
    registries: method('registries', parts.registries as AnyFunction, undefined) as typeof parts.registries,
  }
}

function isInstance(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype !== Object.prototype && prototype !== null && !(value instanceof Date)
}
