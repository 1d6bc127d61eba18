/** The services that a project has: as its supervisor says, or as the last one recorded. */
import type { ServiceView } from '@systemg/core'
import type { RpcClient } from '@systemg/plugins/control/client'
import { isStillThere } from '../host/adopted-processes.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { recordedServices } from './recorded-services.ts'

export interface KnownService {
  readonly name: string
  /** It is in no config. */
  readonly isAdHoc: boolean
  /** A process of it lives. */
  readonly lives: boolean
}

/** @param supervisor - Undefined when none runs. */
export const knownServices = async (
  paths: ProjectPaths,
  supervisor: RpcClient | undefined,
): Promise<readonly KnownService[]> => {
  if (supervisor === undefined) {
    return (recordedServices(paths) ?? []).map(({ name, kinds, instances }) => ({
      name,
      isAdHoc: kinds.includes('ad-hoc'),
      lives: instances.some(({ tree }) => isStillThere(tree)),
    }))
  }
  const { services } = (await supervisor.call('status', {}, { timeoutMs: 10_000 })) as {
    services: readonly Pick<ServiceView, 'name' | 'ad_hoc' | 'pid'>[]
  }
  return services.map(({ name, ad_hoc: adHoc, pid }) => ({ name, isAdHoc: adHoc === true, lives: pid !== null }))
}
