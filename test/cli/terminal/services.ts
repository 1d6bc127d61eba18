/** Services as a supervisor would show them, for tests of what people see. */
import type { ServiceStatus } from '../../../cli/src/terminal/service-status.ts'

export const nowMs = Date.parse('2026-01-31T12:00:00.000Z')

/** So many milliseconds before now. */
export const ago = (ms: number): string => new Date(nowMs - ms).toISOString()

export const service = (name: string, set: Partial<ServiceStatus> = {}): ServiceStatus => ({
  name,
  id: '3f9c2a1b',
  state: 'running',
  health: 'none',
  pid: null,
  since: ago(60_000),
  uptime_ms: null,
  restarts: 0,
  reason: null,
  depends_on: [],
  exit: null,
  cpu_percent: null,
  memory_bytes: null,
  replicas: 1,
  instances: [],
  children: [],
  cron: null,
  last_lines: [],
  retry_at: null,
  ...set,
})

export const shop: readonly ServiceStatus[] = [
  service('store', { health: 'healthy', pid: 4720, uptime_ms: 312_000 }),
  service('migrate', { state: 'completed', since: ago(300_000) }),
  service('api', {
    state: 'backoff',
    restarts: 12,
    retry_at: new Date(nowMs + 3_400).toISOString(),
    reason: 'exit code 1, `Error: listen EADDRINUSE: address already in use 127.0.0.1:7412`',
  }),
  service('worker', {
    state: 'blocked',
    reason: 'api is in backoff: exit code 1, `Error: listen EADDRINUSE: address already in use 127.0.0.1:7412`',
  }),
  service('mailer', {
    state: 'unhealthy',
    health: 'unhealthy',
    pid: 31_337,
    uptime_ms: 7_300_000,
    reason: 'status 503',
  }),
  service('reports', {
    state: 'scheduled',
    cron: { next_run: new Date(nowMs + 240_000).toISOString(), running: false, history: [] },
  }),
  service('cache.local', { state: 'stopped', reason: 'stopped by you', since: ago(3 * 86_400_000) }),
]
