/** Deploys a service again and again while it is under full load. */
import type { SysgEvent } from '@systemg/core'
import type { Result } from '../e2e/sysg.ts'
import { overlaps } from './overlaps.ts'
import { answersWithin, failedOf, startLoad, type LoadFigures, type LoadOptions } from './wrk.ts'

export interface Experiment extends LoadOptions {
  readonly url: string
  readonly service: string
  /** Run `sysg` in the folder of the system. */
  readonly sysg: (...args: readonly string[]) => Promise<Result>
  /** What is done while the load is on; each must exit with 0. */
  readonly steps: readonly (readonly string[])[]
}

export interface Findings {
  readonly before: LoadFigures
  readonly during: LoadFigures
  readonly failed: number
  /** Answered while the old instance and the new one both ran. */
  readonly answeredByBoth: number
}

/** How long the load without deploys lasts: until we have asked so often ourselves. */
const answersBefore = 2_000

/** @throws when a step fails, with what it said. */
export const deployUnderLoad = async (experiment: Experiment): Promise<Findings> => {
  const { url, service, steps, sysg } = experiment
  const before = await loadFor(experiment, () => answers(url, answersBefore))
  const since = await lastSeq(sysg)
  const during = await loadFor(experiment, async () => {
    for (const step of steps) {
      const { code, stdout, stderr } = await sysg(...step)
      if (code !== 0) throw new Error(`sysg ${step.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
    }
  })
  const events = (await eventsOf(sysg)).filter(({ seq }) => seq > since)
  return {
    before,
    during,
    failed: failedOf(before) + failedOf(during),
    answeredByBoth: answersWithin(during, overlaps(events, service)),
  }
}

const loadFor = async (experiment: Experiment, body: () => Promise<void>): Promise<LoadFigures> => {
  const load = startLoad(experiment.url, experiment)
  try {
    await body()
  } catch (thrown) {
    await load.stop().catch(() => undefined)
    throw thrown
  }
  return load.stop()
}

/** Requests of our own beside the load, one after the other: time passes by work done. */
const answers = async (url: string, count: number): Promise<void> => {
  for (let left = count; left > 0; left -= 1) await (await fetch(url)).arrayBuffer()
}

type Sysg = Experiment['sysg']

const eventsOf = async (sysg: Sysg): Promise<readonly SysgEvent[]> => {
  const { stdout } = await sysg('events', '--json', '--lines', '10000')
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as SysgEvent)
}

const lastSeq = async (sysg: Sysg): Promise<number> => (await eventsOf(sysg)).at(-1)?.seq ?? 0
