/** What the env files of a service say, for telling whether one was edited. */
import type { Inputs, ResolvedService, ResolvedSystem } from '@systemg/core'
import { readEnvFiles, type EnvFile, type ReadText } from './env-files.ts'

export interface EnvFilesOf {
  /** Those of the system. */
  readonly global: readonly EnvFile[]
  /** Those of the service. */
  readonly own: readonly EnvFile[]
}

/** One input per file: the variables that it may give the service. What `vars` say anyway is left out, as are comments. */
export const inputsOf = ({ env }: ResolvedService, config: ResolvedSystem, { global, own }: EnvFilesOf): Inputs => {
  const fixed = Object.keys(env.vars)
  return {
    ...contents(global, new Set([...fixed, ...Object.keys(config.env.vars)])),
    ...contents(own, new Set(fixed)),
  }
}

/**
 * The inputs of every service of a config that is being loaded. A file that can't be read is none: who starts the
 * service says what is wrong with it.
 */
export const loadedInputs = async (
  config: ResolvedSystem,
  readText: ReadText,
): Promise<Readonly<Record<string, Inputs>>> => {
  const known = new Map<string, readonly EnvFile[]>()
  const read = async (names: readonly string[]): Promise<readonly EnvFile[]> => {
    for (const name of names) {
      if (!known.has(name)) known.set(name, await readEnvFiles([name], config.folder, readText).catch(() => []))
    }
    return names.flatMap((name) => known.get(name) ?? [])
  }
  const inputs: [string, Inputs][] = []
  for (const [name, service] of Object.entries(config.services)) {
    const files = { global: await read(config.env.file), own: await read(service.env.file) }
    inputs.push([name, inputsOf(service, config, files)])
  }
  return Object.fromEntries(inputs)
}

const contents = (files: readonly EnvFile[], without: ReadonlySet<string>): Inputs =>
  Object.fromEntries(files.map(({ name, vars }) => [`the env file ${name}`, contentOf(vars, without)]))

const contentOf = (vars: ReadonlyMap<string, string>, without: ReadonlySet<string>): string =>
  JSON.stringify([...vars].filter(([name]) => !without.has(name)).sort(([a], [b]) => (a < b ? -1 : 1)))
