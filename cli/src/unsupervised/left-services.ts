/** Services that were left without a supervisor: what still lives, and how the others ended, as far as that is known. */
import { join } from 'node:path'
import { describeExit, type Exit, type OutcomeRecord } from '@systemg/core'
import { isStillThere } from '../host/adopted-processes.ts'
import { KeptExits } from '../host/kept-exits.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import type { ChildStatus, ServiceStatus } from '../terminal/service-status.ts'
import { recordedServices, type RecordedInstance, type RecordedService } from './recorded-services.ts'

/** States they are shown in, besides those of a supervisor. */
const unsupervised = { running: 'running (unsupervised)', ended: 'ended (unsupervised)' }

/**
 * Empty after the system was stopped.
 *
 * @param nowMs - Wall clock, ms.
 * @throws {SysgError} `SYSG_STATE_NEWER`, `SYSG_STATE_UNREADABLE`.
 */
export const leftServices = (paths: ProjectPaths, nowMs: number): readonly ServiceStatus[] => {
  const recorded = recordedServices(paths) ?? []
  // What people want is remembered for good, and says nothing of how things are.
  if (recorded.every(({ instances, outcomes }) => instances.length === 0 && outcomes.length === 0)) return []
  const exits = new KeptExits(join(paths.folder, 'run', 'exits'))
  const below = childrenBelow(recorded)
  return recorded.flatMap((service) => {
    const found = service.instances.some(isBelowAnother(recorded)) ? undefined : statusOf(service, exits)
    if (found === undefined) return []
    const children = service.instances.flatMap(({ id }) => below(id, 1))
    return [{ ...blank(paths.id, service, nowMs), ...found(nowMs), children }]
  })
}

/** What its programs have started lives below it, as long as it is recorded. */
const isBelowAnother =
  (recorded: readonly RecordedService[]) =>
  ({ transient, tree }: RecordedInstance): boolean =>
    !isStillThere(tree)
      ? transient !== undefined
      : recorded.some(({ instances }) => instances.some(({ id }) => id === transient?.owner))

const childrenBelow = (recorded: readonly RecordedService[]) => {
  const living = recorded.flatMap(({ instances }) => instances).filter(({ tree }) => isStillThere(tree))
  const below = (owner: string, depth: number): readonly ChildStatus[] =>
    living
      .filter(({ transient }) => transient?.owner === owner)
      .map(({ id, service, tree, marks }) => ({
        ...{ name: marks?.['SYSG_CHILD_NAME'] ?? service.name, service: service.name, pid: tree.pid },
        ...{ state: unsupervised.running, depth, expires_at: marks?.['SYSG_EXPIRES_AT'] ?? null },
        children: below(id, depth + 1),
      }))
  return below
}

type Known = (nowMs: number) => Partial<ServiceStatus>

const statusOf = (service: RecordedService, exits: KeptExits): Known | undefined => {
  const { instances, outcomes, isStopped } = service
  const living = instances.filter(({ tree }) => isStillThere(tree))
  const shown = living.find(({ role }) => role === 'active') ?? living[0]
  if (shown !== undefined) return (nowMs) => running(shown, living, nowMs)
  const [outcome] = outcomes
  const ended = instances.find(({ role }) => role === 'active') ?? instances[0]
  if (isStopped) return () => ({ state: 'stopped', reason: 'stopped by you' })
  if (ended !== undefined) return () => gone(ended, exits.read(ended.token))
  return outcome === undefined ? undefined : (nowMs) => rested(outcome, nowMs)
}

const running = (
  shown: RecordedInstance,
  living: readonly RecordedInstance[],
  nowMs: number,
): Partial<ServiceStatus> => {
  const startedAt = shown.startedAt ?? nowMs
  return {
    state: unsupervised.running,
    pid: shown.tree.pid,
    since: new Date(startedAt).toISOString(),
    uptime_ms: ageOf(startedAt, nowMs),
    restarts: shown.restarts,
    reason: 'no supervisor runs',
    replicas: living.filter(({ role }) => role === 'active').length,
    instances: living.map(({ id, tree, role, replica, marks, startedAt: at = nowMs }) => ({
      ...{ id, pid: tree.pid, state: unsupervised.running, slot: marks?.['SYSG_SLOT'] ?? null },
      ...{ role, replica, uptime_ms: ageOf(at, nowMs) },
    })),
  }
}

/** It ended, and the next supervisor will see what its policy says. */
const gone = ({ restarts }: RecordedInstance, exit: Exit = unseen) => ({
  state: unsupervised.ended,
  restarts,
  reason: exit.unseen === true ? describeExit(exit) : `ended while no supervisor ran; ${describeExit(exit)}`,
})

const unseen: Exit = { code: null, signal: null, unknown: true, unseen: true }

/** It had come to rest under the last supervisor. */
const rested = (
  { outcome, exit, failure, why, at, lastLines }: OutcomeRecord,
  nowMs: number,
): Partial<ServiceStatus> => {
  const how = failure?.message.replace(/\.$/, '') ?? (exit === undefined ? null : describeExit(exit))
  const isKnown = exit !== undefined && (exit.code !== null || exit.signal !== null || exit.unknown === true)
  const time = new Date(at > 0 ? at : nowMs).toISOString()
  return {
    state: outcome,
    since: time,
    reason: outcome === 'completed' ? null : [why === null ? [] : `gave up: ${why}`, how ?? []].flat().join('; '),
    exit: isKnown
      ? {
          code: exit.code,
          signal: exit.signal,
          at: time,
          oom_killed: exit.oomKilled === true,
          ...(exit.unknown === true ? { unknown: true } : {}),
        }
      : null,
    last_lines: lastLines,
  }
}

const blank = (project: string, { name, dependsOn }: RecordedService, nowMs: number): ServiceStatus => ({
  ...{ name, id: shortId(`${project}/${name}`), state: unsupervised.ended, health: 'none', pid: null },
  ...{ since: new Date(nowMs).toISOString(), uptime_ms: null, restarts: 0, reason: null, depends_on: dependsOn },
  ...{ exit: null, cpu_percent: null, memory_bytes: null, replicas: 1, instances: [], children: [], cron: null },
  ...{ last_lines: [], retry_at: null },
})

const ageOf = (startedAt: number, nowMs: number): number => Math.max(0, Math.round(nowMs - startedAt))

/** The id a supervisor gives: FNV-1a, 32 bit. A test compares it with the core's. */
export const shortId = (text: string): string => {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16).padStart(8, '0')
}
