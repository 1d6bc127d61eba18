/** What the taps of a system run in: its clock, and where their failures are told. */
import type { EventData } from './events.ts'
import type { Host } from './host.ts'
import type { TapWorld } from './tap-runner.ts'

export const tapWorld = (
  host: Host,
  owner: TapWorld['owner'],
  tell: (service: string | undefined, data: EventData['plugin.error']) => void,
): TapWorld => {
  let isTelling = false
  return {
    clock: host.clock,
    owner,
    report: (error, { plugin, hook, service }) => {
      host.trace('error', error.message, { code: error.code, plugin, hook })
      // A tap of `event` may have called the hook that failed: an event about it would bring the next one, without end.
      if (hook === 'event' || isTelling) return
      isTelling = true
      try {
        tell(service, { plugin, hook, message: error.message })
      } finally {
        isTelling = false
      }
    },
  }
}
