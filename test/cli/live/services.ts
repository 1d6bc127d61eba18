/** Models for tests of the live view. */
import { emptyModel, type LiveModel } from '../../../cli/src/live/model.ts'
import { update, type Effect, type Message } from '../../../cli/src/live/update.ts'
import type { ServiceStatus, StatusReport } from '../../../cli/src/terminal/service-status.ts'
import { service } from '../terminal/services.ts'

const nowMs = Date.parse('2026-01-31T12:00:00Z')

const reportOf = (services: readonly ServiceStatus[]): StatusReport => ({
  project: { id: 'shop', config: '/srv/systemg.yaml' },
  supervisor: { pid: 4711, version: '0.1.0', started_at: new Date(nowMs - 90_000).toISOString() },
  services,
})

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
