/** What is known of a service when no supervisor runs: as the last one recorded it. Secrets are masked. */
import { masked, maskedDeep, Secrets } from '@systemg/core'
import { Failure } from '../failures.ts'
import { firstPartyPlugins } from '../first-party.ts'
import { isStillThere } from '../host/adopted-processes.ts'
import { readEnvironment } from '../host/process-environment.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { requireKnown } from '../terminal/suggest-service.ts'
import { leftServices } from '../unsupervised/left-services.ts'
import { recordedServices } from '../unsupervised/recorded-services.ts'
import { storedEvents } from '../unsupervised/stored-events.ts'
import type { InspectReport } from './report.ts'
import { writtenOf } from './written-config.ts'

const recentEvents = 20

/** @throws {Failure} `SYSG_NO_SUPERVISOR` when nothing is recorded. @throws {SysgError} `SYSG_SERVICE_UNKNOWN`. */
export const recordedInspection = async (paths: ProjectPaths, asked: string, nowMs: number): Promise<InspectReport> => {
  const left = leftServices(paths, nowMs)
  if (left.length === 0) throw new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` })
  const [, part = asked] = /^(.+)\/\d+$/.exec(asked) ?? []
  const service =
    left.find(({ name }) => name === asked) ??
    left.find(({ id, instances }) => id === asked || instances.some((instance) => instance.id === asked)) ??
    left.find(({ name }) => name === part)
  if (service === undefined) {
    await requireKnown(
      [asked],
      left.map(({ name }) => name),
    )
    throw new Failure('SYSG_NO_SUPERVISOR', { project: `\`${paths.id}\`` })
  }
  const recorded = recordedServices(paths)?.find(({ name }) => name === service.name)
  const last = recorded?.instances.at(-1)?.service ?? recorded?.outcomes.at(-1)?.config ?? {}
  const config = Object.fromEntries(Object.entries(last).filter(([key]) => key !== 'inputs'))
  const events = (storedEvents(paths, undefined) ?? []).filter((event) => event.service === service.name)
  const vars = (config as { env?: { vars?: Readonly<Record<string, unknown>> } }).env?.vars ?? {}
  const secrets = new Secrets((text) => left.some(({ name }) => name === text))
  secrets.learn(Object.fromEntries(Object.entries(vars).map(([name, value]) => [name, String(value)])))
  for (const { tree } of recorded?.instances ?? []) if (isStillThere(tree)) secrets.learn(readEnvironment(tree.pid))
  secrets.learn(process.env)
  return secrets.hideIn<InspectReport>({
    ...service,
    instance: null,
    config: maskedDeep(config) as InspectReport['config'],
    written: await writtenOf(config, firstPartyPlugins()),
    env: Object.entries(vars).map(([name, value]) => ({
      ...{ name, value: masked(name, String(value)), origin: 'service vars' as const },
    })),
    metrics: null,
    events: events.slice(-recentEvents),
    tree: [],
    health_history: [],
    sections: [],
  })
}
