/** Models for tests of the live view. */
import { emptyModel, type LiveModel } from '../../../cli/src/live/model.ts'
import { update, type Effect, type Message } from '../../../cli/src/live/update.ts'
import type { ChildStatus, ServiceStatus, StatusReport } from '../../../cli/src/terminal/service-status.ts'
import { service } from '../terminal/services.ts'

const nowMs = Date.parse('2026-01-31T12:00:00Z')

export const child = (name: string, pid: number, set: Partial<ChildStatus> = {}): ChildStatus => ({
  ...{ name, service: `pool:${name}`, pid, state: 'running', depth: 1, expires_at: null, children: [] },
  ...set,
})

const reportOf = (services: readonly ServiceStatus[]): StatusReport => ({
  project: { id: 'shop', config: '/srv/systemg.yaml' },
  supervisor: { pid: 4711, version: '0.1.0', started_at: new Date(nowMs - 90_000).toISOString() },
  services,
})

/** Two children below the first service, one of them with a child of its own; nothing below the second. */
export const family: readonly ServiceStatus[] = [
  service('pool', {
    pid: 11,
    uptime_ms: 1_000,
    children: [
      child('w1', 12, { children: [child('w1a', 13, { depth: 2 })] }),
      child('w2', 14, { expires_at: new Date(nowMs + 60_000).toISOString() }),
    ],
  }),
  service('web', { pid: 20, uptime_ms: 1_000 }),
]

/** `s0` … */
export const many = (count: number): readonly ServiceStatus[] =>
  Array.from({ length: count }, (_, index) => service(`s${index}`))

export const seen = (services: readonly ServiceStatus[]): Message => ({
  kind: 'seen',
  report: reportOf(services),
  atMs: nowMs,
})

/** The model after these messages (a text is a key), and what was to be done on the way. */
export const after = (
  messages: readonly (Message | string)[],
  begin: LiveModel = emptyModel('shop'),
): { readonly model: LiveModel; readonly effects: readonly Effect[] } => {
  let model = begin
  const effects: Effect[] = []
  for (const message of messages) {
    const [next, effect] = update(model, typeof message === 'string' ? { kind: 'key', key: message } : message)
    model = next
    if (effect !== undefined) effects.push(effect)
  }
  return { model, effects }
}
