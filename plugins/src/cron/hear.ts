/** What events mean for the schedule and the run of the service they are about. */
import { eventOfState, type EventType, type SysgEvent } from '@systemg/core'
import type { Job } from './job.ts'

export const hearOfSchedule = (event: SysgEvent, job: Job): void => {
  if (begins.has(event.type)) job.turnOn()
  else if (ends.has(event.type)) job.turnOff('it is not up')
  else if (is(event, 'service.intent') && event.data.intent === 'stopped') job.turnOff('stopped by you')
}

export const hearOfRun = (event: SysgEvent, job: Job): void => {
  const { instance = '', seq } = event
  if (is(event, 'instance.stopping')) job.stopping(instance, event.data.why, seq)
  else if (is(event, 'service.exited')) job.exited(instance, event.data.exit, seq)
  else if (is(event, 'service.start_failed')) job.failed(instance, event.data.reason, seq)
}

const eventsOf = (states: readonly (keyof typeof eventOfState)[]): ReadonlySet<string> =>
  new Set(states.map((state) => eventOfState[state]))

/** From here on due times count. */
const begins = eventsOf(['scheduled', 'waiting', 'blocked', 'running'])
const ends = eventsOf(['stopped', 'skipped', 'failed', 'completed'])

const is = <T extends EventType>(event: SysgEvent, type: T): event is SysgEvent<T> => event.type === type
