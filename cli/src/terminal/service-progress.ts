/** What an operation has come to, service by service, as the events tell. Pure. */
import type { SysgEvent } from '@systemg/core'
import { plain } from './text.ts'

/** One service during an operation. */
export interface ServiceProgress {
  readonly name: string
  readonly state: string
  /** What it waits for or why it is as it is; empty when there is nothing to say. */
  readonly detail: string
  /** From the first thing that happened to it until its present state, ms. */
  readonly elapsedMs: number
  /** When the first thing happened to it; wall clock, ms. */
  readonly sinceMs: number
  /** What it is at, when that may take a while. */
  readonly step?: { readonly sinceMs: number }
  /** A deploy that is under way, and the state beneath it. */
  readonly deploy?: { readonly state: string; readonly replicas: number }
}

/** A service as a supervisor shows it. */
export interface SeenService {
  readonly name: string
  readonly state: string
  readonly reason: string | null
  readonly since: string
}

/** What was on its way before the first event came. What is stopped is no part of it. */
export const begin = (seen: Map<string, ServiceProgress>, services: readonly SeenService[]): void => {
  for (const { name, state, reason, since } of services) {
    if (seen.has(name) || state === 'stopped') continue
    seen.set(name, { name, state, detail: plain(reason ?? ''), elapsedMs: 0, sinceMs: Date.parse(since) })
  }
}

/** Take an event in. @returns whether anything about any service has changed. */
export const advance = (seen: Map<string, ServiceProgress>, event: SysgEvent): boolean => {
  const name = event.service
  if (name === undefined) return false
  const before = seen.get(name)
  const next = after(before, { ...event, service: name })
  if (next === undefined) return false
  seen.set(name, next)
  return true
}

const after = (
  before: ServiceProgress | undefined,
  event: SysgEvent & { readonly service: string },
): ServiceProgress | undefined => {
  const timeMs = Date.parse(event.time)
  const sinceMs = before?.sinceMs ?? timeMs
  const at = { name: event.service, sinceMs, elapsedMs: timeMs - sinceMs }
  const state = states[event.type]
  if (state !== undefined) {
    if (before?.deploy !== undefined) return { ...before, deploy: { ...before.deploy, state } }
    const { reason } = event.data
    return { ...at, state, detail: typeof reason === 'string' ? plain(reason) : '' }
  }
  if (event.type === 'service.scaled') {
    const { from, to } = event.data
    const now = before?.state ?? (from === 0 ? 'stopped' : 'running')
    return { ...at, elapsedMs: 0, state: now, detail: `${String(from)} → ${String(to)}` }
  }
  if (event.type === 'deploy.started') {
    const { replicas = 1 } = event.data as { readonly replicas?: number }
    const deploy = { state: before?.state ?? 'running', replicas }
    return { ...at, state: 'deploying', detail: '', sinceMs: timeMs, elapsedMs: 0, deploy }
  }
  if (before === undefined) return undefined
  if (event.type === 'service.pre_start') return { ...before, detail: 'pre_start', step: { sinceMs: timeMs } }
  if (event.type === 'deploy.step')
    return { ...before, detail: describeStep(event, before.deploy?.replicas ?? 1), step: { sinceMs: timeMs } }
  if (before.deploy !== undefined) return endOfDeploy(before.deploy.state, event, at)
  const happened = event.instance === undefined ? undefined : instanceWords[event.type]
  if (happened === undefined) return undefined
  return { ...before, ...at, detail: `${event.instance ?? ''} ${happened}` }
}

const endOfDeploy = (
  state: string,
  { type, data }: SysgEvent,
  at: Pick<ServiceProgress, 'name' | 'sinceMs' | 'elapsedMs'>,
): ServiceProgress | undefined => {
  if (type === 'deploy.succeeded') return { ...at, state, detail: 'deployed' }
  if (type !== 'deploy.rolled_back') return undefined
  return { ...at, state, detail: plain(`the deploy failed in step ${String(data['step'])}: ${String(data['reason'])}`) }
}

/** `candidate api-4: waiting until ready`. Steps of other strategies say their name. */
const describeStep = ({ data, instance }: SysgEvent, replicas: number): string => {
  const { step, replica = 0 } = data as { readonly step?: unknown; readonly replica?: number }
  const words: Readonly<Record<string, string>> = {
    candidate: 'starting a candidate',
    ready: `candidate ${instance ?? ''}: waiting until ready`,
    grace_period: `${instance ?? 'the new one'} serves; grace_period`,
    retire: 'stopping the old instance',
    stop: 'stopping the old instance',
    start: 'starting the new instance',
  }
  const which = replicas > 1 ? ` (replica ${replica + 1} of ${replicas})` : ''
  return plain(`${words[String(step)] ?? String(step)}${which}`)
}

const states: Readonly<Record<string, string>> = {
  'service.waiting': 'waiting',
  'service.blocked': 'blocked',
  'service.starting': 'starting',
  'service.ready': 'running',
  'service.unhealthy': 'unhealthy',
  'service.stopping': 'stopping',
  'service.stopped': 'stopped',
  'service.completed': 'completed',
  'service.restarting': 'backoff',
  'service.backoff': 'backoff',
  'service.failed': 'failed',
  'service.scheduled': 'scheduled',
  'service.skipped': 'skipped',
}

/** What instances do while their service stays as it is. */
const instanceWords: Readonly<Record<string, string>> = {
  'instance.ready': 'is ready',
  'instance.stopping': 'is stopping',
}
