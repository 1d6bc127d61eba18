/** How an instance is launched: what its service says, what plugins make of that, and what the core adds last. */
import type { Inputs } from './config/inputs.ts'
import type { ResolvedService } from './config/types.ts'
import { fillInSpec } from './fill-in.ts'
import type { Host, SpawnSpec } from './host.ts'
import type { Hooks } from './hooks.ts'
import type { InstanceAt, InstanceInfo } from './instance-info.ts'
import { baseEnvironment } from './launch-environment.ts'

/** How an instance will be launched. `prepare` refines it. */
export interface LaunchSpec extends Omit<SpawnSpec, 'token'> {
  /** What it is made of besides the config, as of now; see `inputs` of a plugin. Gone once it has been taken note of. */
  readonly inputs?: Inputs
}

/** The environment of a program, and what it was made of. */
export type MadeEnvironment = Pick<LaunchSpec, 'env' | 'inputs'>

/** What the hooks `environment` and `prepare` make of a service. */
export const prepareSpec = async (
  service: ResolvedService,
  { host, hooks }: { readonly host: Host; readonly hooks: Hooks },
  at: InstanceAt,
): Promise<LaunchSpec> => {
  const { signal } = at
  const made = await hooks.environment.promise({ env: baseEnvironment(host.env) }, { service, signal })
  return hooks.prepare.promise(specOf(service, made), at)
}

/** What a service says itself about its launch. */
export const specOf = (service: ResolvedService, made: MadeEnvironment): LaunchSpec => ({
  ...made,
  argv: service.argv,
  cwd: service.working_dir,
  stdout: 'null',
  stderr: 'null',
  inherit: [],
})

/** With what every process of the instance is known by, and with its references filled in. `inherited`: the supervisor's environment. */
export const finishSpec = (
  prepared: LaunchSpec,
  identity: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string>>,
): LaunchSpec => fillInSpec({ ...prepared, env: { ...prepared.env, ...identity } }, inherited)

/** What every process of an instance is known by. */
export const identityOf = (instance: InstanceInfo, project: string): Readonly<Record<string, string>> => ({
  SYSG_PROJECT: project,
  SYSG_SERVICE: instance.service.name,
  SYSG_INSTANCE: instance.id,
  SYSG_REPLICA: String(instance.replica),
  SYSG_TOKEN: instance.token,
})
