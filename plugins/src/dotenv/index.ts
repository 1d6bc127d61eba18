/**
 * Makes the environment of every instance.
 *
 * Owns the key `env` of the system (`vars`, `file`) and of a service (also `inherit`, `strip`). Taps `environment`.
 * Registers the control method `env.describe`. Tells the content of env files as `inputs`, so that a service whose file
 * was edited is a changed one.
 * Strongest first: service `vars`, service `file`, global `vars`, global `file`, the supervisor's environment.
 */
import { definePlugin, masked, SysgError, type ResolvedService, type ResolvedSystem } from '@systemg/core'
import { z } from 'zod'
import { readEnvFiles, varsOf, type ReadText } from './env-files.ts'
import { inputsOf, loadedInputs } from './inputs.ts'
import { mergeLayers, type Layer } from './layers.ts'
import { serviceEnv, systemEnv } from './options.ts'

export const dotenv = definePlugin({
  name: 'dotenv',
  system: { env: systemEnv },
  service: { env: serviceEnv },
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
      const { service: name } = describeParams.parse(params)
      const service = system.config.services[name]
      if (service === undefined) throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })
      const { merged } = await environment(base, service, system.config, readText)
      return [...merged]
        .map(([variable, { value, origin }]) => ({ name: variable, value: masked(variable, value), origin }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
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
  interface ResolvedSystem {
    readonly env: z.output<typeof systemEnv>
  }
  interface ResolvedService {
    readonly env: z.output<typeof serviceEnv>
  }
}

const describeParams = z.strictObject({ service: z.string() })

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
    { origin: 'global file', vars: varsOf(files.global) },
    { origin: 'global vars', vars: new Map(Object.entries(config.env.vars)) },
    { origin: 'service file', vars: varsOf(files.own) },
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
