/** Services that go on while no supervisor runs: recorded by the last one, and their processes still there. */
import type { ServiceStatus } from '../terminal/service-status.ts'
import { isStillThere } from '../host/adopted-processes.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { recordedServices, type RecordedInstance, type RecordedService } from './recorded-services.ts'

/** The state they are shown in. */
const unsupervised = 'running (unsupervised)'

/**
 * @param nowMs - Wall clock, ms.
 * @throws {SysgError} `SYSG_STATE_NEWER`, `SYSG_STATE_UNREADABLE`.
 */
export const livingServices = (paths: ProjectPaths, nowMs: number): readonly ServiceStatus[] =>
  (recordedServices(paths) ?? []).flatMap((service) => {
    const living = service.instances.filter(({ tree }) => isStillThere(tree))
    const [first] = living
    return first === undefined ? [] : [statusOf(paths.id, service, [first, ...living.slice(1)], nowMs)]
  })

const statusOf = (
  project: string,
  { name }: RecordedService,
  living: readonly [RecordedInstance, ...RecordedInstance[]],
  nowMs: number,
): ServiceStatus => {
  const shown = living.find(({ role }) => role === 'active') ?? living[0]
  const startedAt = shown.startedAt ?? nowMs
  return {
    name,
    id: shortId(`${project}/${name}`),
    state: unsupervised,
    health: 'none',
    pid: shown.tree.pid,
    since: new Date(startedAt).toISOString(),
    uptime_ms: Math.max(0, Math.round(nowMs - startedAt)),
    restarts: shown.restarts,
    reason: 'no supervisor runs',
    depends_on: Object.keys(shown.service.depends_on),
    exit: null,
    cpu_percent: null,
    memory_bytes: null,
    replicas: living.filter(({ role }) => role === 'active').length,
    instances: living.map(({ id, tree, role, replica, marks, startedAt: at = nowMs }) => ({
      ...{ id, pid: tree.pid, state: unsupervised, slot: marks?.['SYSG_SLOT'] ?? null },
      ...{ role, replica, uptime_ms: Math.max(0, Math.round(nowMs - at)) },
    })),
    children: [],
    cron: null,
    last_lines: [],
    retry_at: null,
  }
}

/** The id a supervisor gives: FNV-1a, 32 bit. A test compares it with the core's. */
export const shortId = (text: string): string => {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
