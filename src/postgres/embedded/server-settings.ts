import { port, type Place } from './place.ts'

/** Command-line settings of the server: they win over its files, so that nothing there can make it lose data. */
export function serverSettings(place: Pick<Place, 'socket'>): string[] {
  const settings: Readonly<Record<string, string>> = {
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
    listen_addresses: '',
    unix_socket_directories: `"${place.socket.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    port: String(port),
    max_connections: '100',
    // A small footprint: the queue is small, and the memory belongs to the agents.
    shared_buffers: '32MB',
    max_wal_size: '256MB',
    min_wal_size: '32MB',
    max_worker_processes: '2',
    max_parallel_workers: '0',
    max_wal_senders: '2',
    io_method: 'sync',
    huge_pages: 'off',
    jit: 'off',
    // The tasks table is small and changes all the time.
    autovacuum_naptime: '15s',
    autovacuum_max_workers: '1',
    log_checkpoints: 'off',
    // Refused statements are answered to who made them; the log is for what the server itself has to say.
    log_min_messages: 'log',
    log_timezone: 'UTC',
    timezone: 'UTC',
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
