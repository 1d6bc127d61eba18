/**
 * Makes the environment of every instance.
 *
 * Owns the key `env` of the system (`vars`, `file`) and of a service (also `inherit`, `strip`). Taps `environment` and `inspect`.
 * Registers the control method `env.describe`. Tells the content of env files as `inputs`, so that a service whose file
 * was edited is a changed one.
 * Strongest first: service `vars`, service `file`, global `vars`, global `file`, the supervisor's environment.
 */
import { definePlugin, masked, once, SysgError, whyOf, type ResolvedService, type ResolvedSystem } from '@systemg/core'
import * as z from 'zod/mini'
import { readEnvFiles, varsOf, type ReadText } from './env-files.ts'
import { inputsOf, loadedInputs } from './inputs.ts'
import { mergeLayers, type Layer, type Merged, type Origin } from './layers.ts'
import type { serviceEnv, systemEnv } from './options.ts'

export const dotenv = definePlugin({
  name: 'dotenv',
  schemas: () => import('./options.ts'),
  variables: (raw) => rawVariables((raw.service ?? raw.system).env, raw.folder, (path) => raw.readText(path)),
  inputs: ({ config, readText }) => loadedInputs(config, readText),
  setup(api) {
    const { host, hooks, system } = api
    const readText: ReadText = (path) => host.files.readText(path)
    /** What the core lets services inherit: the same for all. */
    let base = host.env
    hooks.environment.tapPromise('dotenv', async (made, { service }) => {
      base = made.env
      const { merged, files } = await environment(base, service, system.config, readText)
      const env = Object.fromEntries([...merged].map(([name, { value }]) => [name, value]))
      return { ...made, env, inputs: { ...made.inputs, ...inputsOf(service, system.config, files) } }
    })
    api.registerMethod('env.describe', async (params) => {
      const { service: name } = describeParams().parse(params)
      const service = system.config.services[name]
      if (service === undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
      const { merged } = await environment(base, service, system.config, readText)
      return describeEnv(merged)
    })
    hooks.inspect.tapPromise('dotenv', async (found, { service, instances: [instance] }) => {
      try {
        const { merged } = await environment(base, service, system.config, readText)
        return { ...found, env: describeEnv(merged, instance?.launch?.env) }
      } catch (thrown) {
        const section = { title: 'environment', lines: [`It can't be made: ${whyOf(thrown)}`] }
        return { ...found, env: [], sections: [...found.sections, section] }
      }
    })
  },
})

declare module '@systemg/core' {
  interface SystemConfig {
    /** Environment of every service: `vars` and `.env` files. From the `dotenv` plugin. */
    env?: z.input<typeof systemEnv>
  }
  interface ServiceConfig {
    /** Environment of the service; stronger than the global one. From the `dotenv` plugin. */
    env?: z.input<typeof serviceEnv>
  }
  interface Inspection {
    /** What it would be started with now, and what a running instance has been given besides. From the `dotenv` plugin. */
    readonly env?: readonly EnvVariable[]
  }
  interface ResolvedSystem {
    readonly env: z.output<typeof systemEnv>
  }
  interface ResolvedService {
    readonly env: z.output<typeof serviceEnv>
  }
}

/** A variable as `inspect` and `env.describe` tell it. */
export interface EnvVariable {
  readonly name: string
  /** Masked when it is a secret. */
  readonly value: string
  /** `launch`: a plugin or the core has set it for the running instance. */
  readonly origin: Origin | 'launch'
  /** The env file that it stands in. */
  readonly file?: string
}

/** Sorted by name, secrets masked. `running`: the environment of what runs. */
const describeEnv = (
  merged: ReadonlyMap<string, Merged>,
  running: Readonly<Record<string, string>> = {},
): readonly EnvVariable[] => {
  const added = Object.entries(running).filter(([name]) => !merged.has(name))
  return [
    ...[...merged].map(([name, { value, ...from }]) => ({ name, value: masked(name, value), ...from })),
    ...added.map(([name, value]) => ({ name, value: masked(name, value), origin: 'launch' as const })),
  ].sort((a, b) => (a.name < b.name ? -1 : 1))
}

const describeParams = once(() => z.strictObject({ service: z.string() }))

/** `base` is what the core passes: the supervisor's environment and its own `SYSG_…`, which nobody overrides. */
const environment = async (
  base: Readonly<Record<string, string>>,
  { env }: ResolvedService,
  config: ResolvedSystem,
  readText: ReadText,
) => {
  const inherited = Object.entries(base)
  const files = {
    global: await readEnvFiles(config.env.file, config.folder, readText),
    own: await readEnvFiles(env.file, config.folder, readText),
  }
  const layers: readonly Layer[] = [
    { origin: 'supervisor', vars: new Map(inherited.filter(([name]) => !isOurs(name))) },
    ...files.global.map(({ name: file, vars }): Layer => ({ origin: 'global file', file, vars })),
    { origin: 'global vars', vars: new Map(Object.entries(config.env.vars)) },
    ...files.own.map(({ name: file, vars }): Layer => ({ origin: 'service file', file, vars })),
    { origin: 'service vars', vars: new Map(Object.entries(env.vars)) },
    { origin: 'core', vars: new Map(inherited.filter(([name]) => isOurs(name))) },
  ]
  return { merged: mergeLayers(layers, env), files }
}

const isOurs = (name: string): boolean => name.startsWith('SYSG_')

/**
 * What `${VAR}` may use of an `env`. A file whose own path is not known yet (`${VAR}` without a value, which the core
 * marks with NUL) counts at the start of an instance only.
 */
const rawVariables = async (env: unknown, folder: string, readText: ReadText): Promise<Record<string, string>> => {
  if (!isRecord(env)) return {}
  const files = (Array.isArray(env.file) ? env.file : [env.file]).filter(
    (path): path is string => typeof path === 'string' && path !== '' && !/\0|\$\{/.test(path),
  )
  const vars = new Map(varsOf(await readEnvFiles(files, folder, readText)))
  for (const [name, value] of Object.entries(isRecord(env.vars) ? env.vars : {})) {
    if (value === null) vars.delete(name)
    else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      vars.set(name, String(value))
  }
  return Object.fromEntries(vars)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
