/** Which check an instance is judged by. Pure. */
import type { InstanceInfo, ResolvedService } from '@systemg/core'
import type { HealthCheck } from './options.ts'

/** What the `deploy` plugin may have: how it replaces, the older place of the check, and the check of a candidate. */
export interface WithDeployment {
  readonly deployment?: {
    readonly strategy?: string
    readonly health_check?: HealthCheck
    readonly blue_green?: { readonly candidate_health_check?: HealthCheck }
  }
}

export const checkOf = ({ service, role }: Pick<InstanceInfo, 'service' | 'role'>): HealthCheck | undefined => {
  const ofCandidate = role === 'candidate' ? deploymentOf(service)?.blue_green?.candidate_health_check : undefined
  return ofCandidate ?? service.health_check ?? deploymentOf(service)?.health_check
}

export const deploymentOf = (service: ResolvedService): WithDeployment['deployment'] =>
  (service as ResolvedService & WithDeployment).deployment
