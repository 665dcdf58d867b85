import { Client } from 'pg'
import { port, type Place } from './place.ts'

/** The database that is used; made by {@link ensureDatabase}. */
const databaseName = 'nightshift'
const answerWaitMs = 3000

/** Address of the home's database, for pg. */
export function connectionUrl(place: Pick<Place, 'socket'>, database: string = databaseName): string {
  const query = new URLSearchParams({ host: place.socket, port: String(port), user: 'nightshift' })
  return `postgresql:///${database}?${query.toString().replaceAll('+', '%20')}`
}

/** Whether a server answers on the socket. `busy`: it lives, but takes no connection now. */
export async function askServer(
  place: Place,
): Promise<{ kind: 'ready' } | { kind: 'busy' } | { kind: 'absent' }> {
  const client = maintenanceClient(place)
  try {
    await client.connect()
    await client.query('select 1')
    return { kind: 'ready' }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null
    // 53300: all its connections are taken, so it does work.
    if (code === '53300') return { kind: 'ready' }
    return { kind: code === 'ENOENT' || code === 'ECONNREFUSED' ? 'absent' : 'busy' }
  } finally {
    await client.end().catch(() => {})
  }
}

/** Makes the database on a new server. To be called under the home's lock. */
export async function ensureDatabase(place: Place): Promise<void> {
  const client = maintenanceClient(place)
  try {
    await client.connect()
    const found = await client.query('select 1 from pg_database where datname = $1', [databaseName])
    if (found.rowCount === 0) await client.query(`create database ${databaseName}`)
  } finally {
    await client.end().catch(() => {})
  }
}

function maintenanceClient(place: Place): Client {
  const client = new Client({
    connectionString: connectionUrl(place, 'postgres'),
    application_name: 'nightshift start',
    connectionTimeoutMillis: answerWaitMs,
    query_timeout: answerWaitMs * 10,
  })
  // Without a listener, a connection that breaks would end this process.
  client.on('error', () => {})
  return client
}
