// npm, npx and the launcher pass on a signal that the terminal has sent to all of them: one press arrives twice.
const sameSignalMs = 500

/** Tells of SIGINT and SIGTERM, each press once; a terminal that is closed counts as SIGTERM. Returns what ends it. */
export function subscribeToSignals(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void {
  let lastMs = Number.NEGATIVE_INFINITY
  const handle = (signal: NodeJS.Signals) => {
    const nowMs = performance.now()
    if (nowMs - lastMs < sameSignalMs) return
    lastMs = nowMs
    listener(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM')
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, handle)
  return () => {
    for (const signal of signals) process.off(signal, handle)
  }
}
