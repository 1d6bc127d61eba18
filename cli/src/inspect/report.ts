/** The object of `inspect --json`: that of `status`, and what the core and plugins tell besides. */
import type { Inspection } from '@systemg/core'
import type { EnvVariable } from '@systemg/plugins/dotenv'
import type { InstanceHistory } from '@systemg/plugins/health'
import type { MetricsReport } from '@systemg/plugins/metrics'
import { reportOf, type ServiceStatus } from '../terminal/service-status.ts'

type Added = Pick<Inspection, 'instance' | 'config' | 'written' | 'tree' | 'sections' | 'events'>

export interface InspectReport extends ServiceStatus, Added {
  readonly env: readonly EnvVariable[]
  /** Null when nobody measures. */
  readonly metrics: MetricsReport | null
  readonly events: NonNullable<Inspection['events']>
  readonly health_history: readonly InstanceHistory[]
}

/** An earlier version says nothing of how things are written. */
type Answer = Omit<Inspection, 'written'> & Partial<Pick<Inspection, 'written'>>

/** A supervisor's answer, with what some plugin would tell that is not there. */
export const inspectReportOf = (answer: Answer): InspectReport => {
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
