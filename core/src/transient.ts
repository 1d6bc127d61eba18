/**
 * Services that run once and are then forgotten: a program that a plugin starts beside the services of the config, such as
 * a worker that a service asks for. Of a service they have everything but a second run.
 */
import { displayCommand } from './config/command.ts'
import type { ResolvedService } from './config/types.ts'
import { SysgError } from './errors.ts'
import type { InstanceInfo } from './instance-info.ts'
import type { OperationWorld } from './operations/operation-world.ts'
import { requireOpen } from './operations/services.ts'
import { collectKeys } from './plugin-keys.ts'
import { loadSchemas } from './plugin-schemas.ts'
import type { PluginUse } from './plugin.ts'
import type { Roster } from './roster.ts'
import type { TransientOptions } from './system-api.ts'
import { hostOf, transientName } from './transient-name.ts'

export const startTransient = async (world: OperationWorld, options: TransientOptions): Promise<InstanceInfo> => {
  await loadSchemas(world.uses)
  requireOpen(world)
  const { reconciler, uses } = world
  const { roster } = reconciler
  const { owner, host, onNamed, expiresAt } = options
  if (owner !== undefined && !isServingOne(roster, owner))
    throw new SysgError('SYSG_INSTANCE_GONE', { instance: owner })
  const name = transientName(hostOf(host.name) ?? host.name, options.name, (taken) => roster.services.has(taken))
  const service = roster.takeUpTransient(specFor(name, options, uses))
  const instance = reconciler.launchTransient(service, { name: options.name, owner, expiresAt }, onNamed)
  await reconciler.until(() => instance.startedAt !== undefined || !instance.isLiving)
  if (instance.tree !== undefined) return instance
  throw instance.failure ?? new SysgError('SYSG_INSTANCE_GONE', { instance: instance.id })
}

const isServingOne = (roster: Roster, instance: string): boolean =>
  roster.living.some(({ id, exit, stopRequest }) => id === instance && exit === undefined && stopRequest === undefined)

/** Of the service that it is started for it has how it is stopped, and the keys that plugins want to be passed on. */
const specFor = (
  name: string,
  { host, argv, working_dir }: TransientOptions,
  uses: readonly PluginUse[],
): ResolvedService => {
  const { stop_signal, stop_timeout, success_exit_codes } = host
  return {
    ...(keysOfPlugins(host, uses) as unknown as ResolvedService),
    ...{ name, argv, working_dir, stop_signal, stop_timeout, success_exit_codes },
    command: displayCommand({ exec: argv }),
    depends_on: {},
    startup_grace: 0,
    skip: false,
    replicas: 1,
  }
}

const keysOfPlugins = (host: ResolvedService, uses: readonly PluginUse[]): Readonly<Record<string, unknown>> => {
  const inherited = new Set(uses.flatMap(({ plugin }) => plugin.inherited ?? []))
  const keys = [...collectKeys(uses, 'service', [])].map(([key, { schema }]): [string, unknown] => [
    key,
    inherited.has(key) ? host[key as keyof ResolvedService] : schema.safeParse(undefined).data,
  ])
  return Object.fromEntries(keys.filter(([, value]) => value !== undefined))
}
