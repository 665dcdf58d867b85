/** An engine, as the operator names it. */
export interface EngineAddress {
  /** As Dagger takes it (`unix://`, `tcp://`, `docker-container://`, …); `null`: the one that the CLI starts by itself. */
  readonly address: string | null
  /** Tasks that may work on it at the same time. */
  readonly slots: number
}

/** Tasks on an engine whose slots are not told. */
export const defaultEngineSlots = 8

/** Reads `address`, `address=slots`, several with commas or spaces between. Throws with what cannot be read. */
export function parseEngines(text: string): EngineAddress[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '')
  const engines = parts.map((part) => {
    const [, address = '', slots] = /^(.*?)(?:=(\d+))?$/.exec(part) ?? []
    if (!/^[a-z][a-z0-9+.-]*:\/\/./.test(address)) {
      throw new Error(
        `${part} is no engine: tcp://host:port or unix:///path, with =slots behind it where wanted`,
      )
    }
    const count = slots === undefined ? defaultEngineSlots : Number(slots)
    if (count < 1 || count > 1024) throw new Error(`${part}: an engine has 1 to 1024 slots`)
    return { address, slots: count }
  })
  const twice = engines.find(
    (engine, at) => engines.findIndex(({ address }) => address === engine.address) !== at,
  )
  if (twice !== undefined) throw new Error(`${twice.address} is named twice`)
  return engines
}

/** The engine in words. */
export function engineName({ address }: EngineAddress): string {
  return address ?? 'the engine of the dagger CLI'
}
