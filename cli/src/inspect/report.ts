/** The object of `inspect --json`: that of `status`, and what the core and plugins tell besides. */
import type { Inspection } from '@systemg/core'
import type { EnvVariable } from '@systemg/plugins/dotenv'
import type { InstanceHistory } from '@systemg/plugins/health'
import type { MetricsReport } from '@systemg/plugins/metrics'
import type {} from './written-config.ts'
import { reportOf, type ServiceStatus } from '../terminal/service-status.ts'

type Added = Pick<Inspection, 'instance' | 'config' | 'tree' | 'sections' | 'events'> &
  Required<Pick<Inspection, 'written'>>

export interface InspectReport extends ServiceStatus, Added {
  readonly env: readonly EnvVariable[]
  /** Null when nobody measures. */
  readonly metrics: MetricsReport | null
  readonly events: NonNullable<Inspection['events']>
  readonly health_history: readonly InstanceHistory[]
}

/** A supervisor's answer, with what some plugin would tell that is not there. */
export const inspectReportOf = (answer: Inspection): InspectReport => {
  const { instance, config, written = {}, env = [], metrics = null, events = [], tree, sections, ...others } = answer
  const { health_history = [], ...view } = others
  const { services } = reportOf({
    project: { id: '', config: null },
    supervisor: null,
    services: [view],
  })
  const [status] = services
  if (status === undefined) throw new Error('no service')
  return { ...status, instance, config, written, env, metrics, events, tree, health_history, sections }
}
