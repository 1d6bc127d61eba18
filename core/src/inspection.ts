/** Everything about one service, for people: how it is found by what they type, and what the core itself knows of it. */
import type { ResolvedService } from './config/types.ts'
import { nearest } from './config/nearest.ts'
import { SysgError } from './errors.ts'
import type { Host, ProcessInfo } from './host.ts'
import type { Instance } from './instance.ts'
import type { InstanceInfo } from './instance-info.ts'
import type { Roster } from './roster.ts'
import { maskedDeep } from './secrets.ts'
import type { Service } from './service.ts'
import type { ServiceView } from './system-api.ts'
import { shortId } from './view.ts'

/** The object of `inspect --json`: that of `status`, and what plugins add by the hook `inspect`. */
export interface Inspection extends ServiceView {
  /** The instance that was asked for; null: the whole service. */
  readonly instance: string | null
  /** With every default, secrets masked. */
  readonly config: Readonly<Record<string, unknown>>
  /** The processes of each instance. */
  readonly tree: readonly InstanceTree[]
  /** What else there is to read, in the order of the plugins. */
  readonly sections: readonly InspectionSection[]
}

export interface InstanceTree {
  readonly instance: string
  /** Those whose parents are not among them. */
  readonly processes: readonly ProcessNode[]
}

export interface ProcessNode {
  readonly pid: number
  /** Secrets masked. */
  readonly command: string
  /** Of its own, without children that have ended. */
  readonly cpu_ms: number
  readonly memory_bytes: number
  readonly children: readonly ProcessNode[]
}

/** A part that a plugin adds for people to read. */
export interface InspectionSection {
  readonly title: string
  readonly lines: readonly string[]
}

/** What a tap of `inspect` gets besides what is known already. */
export interface InspectAt {
  readonly service: ResolvedService
  /** The instances that are asked for and live. */
  readonly instances: readonly InstanceInfo[]
  /** How far back is asked for, ms. */
  readonly windowMs: number
  readonly signal: AbortSignal
}

export interface Found {
  readonly service: Service
  readonly instances: readonly Instance[]
  /** One instance was asked for, or one replica. */
  readonly instance: Instance | undefined
}

/**
 * What is meant: a service's name or its short id, `service/replica`, or the id of an instance that lives. A name comes first.
 *
 * @throws {SysgError} `SYSG_SERVICE_UNKNOWN`.
 */
export const findService = (text: string, { services, config }: Roster): Found => {
  const whole = (service: Service): Found => ({ service, instances: service.living, instance: undefined })
  const part = (service: Service, instance: Instance): Found => ({ service, instances: [instance], instance })
  const byName = services.get(text)
  if (byName !== undefined) return whole(byName)
  for (const service of services.values()) {
    if (shortId(`${config.project.id}/${service.name}`) === text) return whole(service)
    const instance = service.living.find(({ id }) => id === text)
    if (instance !== undefined) return part(service, instance)
  }
  const [, name = '', replica = ''] = /^(.+)\/(\d+)$/.exec(text) ?? []
  const service = services.get(name)
  const instances = service?.living.filter(({ replica: index }) => index === Number(replica)) ?? []
  const instance = instances.find(({ role }) => role === 'active') ?? instances[0]
  if (service !== undefined && instance !== undefined) return part(service, instance)
  if (service !== undefined && Number(replica) < service.wantedReplicas) return { ...whole(service), instances: [] }
  throw new SysgError('SYSG_SERVICE_UNKNOWN', { name: text, suggestion: nearest(text, services.keys()) })
}

/** What the core knows. */
export const inspectionOf = async (
  { instances, instance }: Found,
  service: ResolvedService,
  view: ServiceView,
  host: Host,
): Promise<Inspection> => {
  const config = Object.fromEntries(Object.entries(service).filter(([key]) => key !== 'inputs'))
  const trees = instances.map(async ({ id, tree }): Promise<InstanceTree> => {
    const members = tree === undefined ? [] : await host.processes.members(tree)
    return { instance: id, processes: forest(members.filter(({ keepsExit }) => keepsExit !== true)) }
  })
  const one = view.instances.find(({ id }) => id === instance?.id)
  return {
    ...view,
    ...(one === undefined ? {} : { pid: one.pid, uptime_ms: one.uptime_ms }),
    instances: view.instances.filter(({ id }) => instance === undefined || id === instance.id),
    instance: instance?.id ?? null,
    config: maskedDeep(config) as Inspection['config'],
    tree: await Promise.all(trees),
    sections: [],
  }
}

/** Processes below their parents. */
const forest = (members: readonly ProcessInfo[]): readonly ProcessNode[] => {
  const pids = new Set(members.map(({ pid }) => pid))
  const node = ({ pid, command, cpuMs, memoryBytes }: ProcessInfo): ProcessNode => ({
    ...{ pid, command, cpu_ms: Math.round(cpuMs), memory_bytes: memoryBytes },
    children: members.filter(({ parentPid }) => parentPid === pid).map(node),
  })
  return members.filter(({ pid, parentPid }) => !pids.has(parentPid) || parentPid === pid).map(node)
}
