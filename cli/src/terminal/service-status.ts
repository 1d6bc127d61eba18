/** The object of `status --json` for one service, made of what a supervisor answers. The contract is SPEC §11. */
import type { InstanceView, ServiceView } from '@systemg/core'
import type { CronView } from '@systemg/plugins/cron'

export interface ChildStatus {
  readonly name: string
  /** What `sysg stop` and `sysg logs` know it by. */
  readonly service: string
  readonly pid: number | null
  readonly state: string
  readonly depth: number
  readonly expires_at: string | null
  readonly children: readonly ChildStatus[]
}

/** What is always there; fields that plugins add stand behind. */
export interface ServiceStatus extends Omit<ServiceView, 'state' | 'instances' | 'children'> {
  /** A `ServiceState`, or `running (unsupervised)`, `ended (unsupervised)`. */
  readonly state: string
  readonly cpu_percent: number | null
  readonly memory_bytes: number | null
  readonly instances: readonly (Omit<InstanceView, 'state'> & { readonly state: string })[]
  readonly children: readonly ChildStatus[]
  readonly cron: CronView | null
}

export interface StatusReport {
  readonly project: { readonly id: string; readonly name?: string; readonly config: string | null }
  /** Null when none runs. */
  readonly supervisor: { readonly pid: number; readonly version: string; readonly started_at: string } | null
  readonly services: readonly ServiceStatus[]
}

/** A supervisor's answer to `status`; without some plugins it lacks what they would tell. */
export type StatusAnswer = Omit<StatusReport, 'services'> & {
  readonly services: readonly (ServiceView & Partial<Pick<ServiceStatus, Added>>)[]
}

type Added = 'cpu_percent' | 'memory_bytes' | 'children' | 'cron'

/** The answer in the order of the contract, with null for what nobody tells. */
export const reportOf = ({ project, supervisor, services, ...others }: StatusAnswer): StatusReport => ({
  project,
  supervisor,
  services: services.map(statusOf),
  ...others,
})

const statusOf = (view: StatusAnswer['services'][number]): ServiceStatus => {
  const { name, id, state, health, pid, since, uptime_ms, restarts, reason, depends_on, exit, ...others } = view
  const { cpu_percent = null, memory_bytes = null, instances, children = [], cron = null, ...rest } = others
  return {
    ...{ name, id, state, health, pid, since, uptime_ms, restarts, reason, depends_on, exit },
    ...{ cpu_percent, memory_bytes, instances: instances.map(instanceOf), children, cron },
    ...rest,
  }
}

/** An instance that is `ready` is `running` for people, as its service is. */
const instanceOf = ({ id, pid, state, slot, ...rest }: InstanceView) => ({
  ...{ id, pid, state: state === 'ready' ? 'running' : state, slot },
  ...rest,
})
