/** What tests of scheduled services say about runs. */
import type { Simulation } from '@systemg/core/testing'

/** `1 success 1-3.5`: when it was due, how it ended, from when to when; in seconds since the world began. */
export const runsOf = (sim: Simulation, service = 'job'): readonly string[] => {
  const beganMs = sim.world.startMs
  const seconds = (time: string) => (Date.parse(time) - beganMs) / 1_000
  return (sim.service(service).view.cron?.history ?? []).map(({ scheduled, status, started, finished, trigger }) =>
    [
      scheduled === null ? '-' : seconds(scheduled),
      status,
      ...(started === null || finished === null ? [] : [`${seconds(started)}-${seconds(finished)}`]),
      ...(trigger === 'schedule' ? [] : [trigger]),
    ].join(' '),
  )
}

/** When its runs were due, ISO 8601 without the milliseconds. */
export const dueTimes = (sim: Simulation, service = 'job'): readonly string[] =>
  sim.events
    .filter((event) => event.type === 'cron.started' && event.service === service)
    .map(({ data }) => String(data['scheduled']).replace('.000Z', 'Z'))
