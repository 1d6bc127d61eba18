/**
 * From the command line to a checked config:
 *
 *   find (trust) ─► read (YAML, JSON, code) ─► load its plugins ─► check and resolve ─► system and problems
 *
 * Modules are cached by Node for as long as the process lives: loading a config again in one process sees changed data,
 * but not changed code. Whoever reloads compares `files` and `code`, or loads in a fresh process.
 */
import { readFile } from 'node:fs/promises'
import {
  loadSchemas,
  resolveConfig,
  type PluginUse,
  type Problem,
  type ReadText,
  type ResolveInput,
  type ResolvedSystem,
} from '@systemg/core'
import { findConfig } from '../project/find-config.ts'
import { systemConfigFolders } from '../project/locate.ts'
import { defaultProject } from '../project/project-id.ts'
import { loadPlugins, type ConfigToLoad, type LoadedPlugins } from './load-plugins.ts'
import { plainEntry } from './plugin-entry.ts'
import { readConfig } from './read-config.ts'
import { watchModules } from './watch-modules.ts'

export interface LoadOptions {
  readonly cwd: string
  /** `--config` as typed. */
  readonly config?: string | undefined
  /** `--sys`: search `/etc/systemg` last. */
  readonly sys?: boolean
  /** Of whoever asks: what `${VAR}` stands for. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The plugins that are always there. */
  readonly firstParty: readonly PluginUse[]
}

export interface LoadedConfig {
  /** Real path. */
  readonly file: string
  /** Its folder: relative paths start from it. */
  readonly folder: string
  /** Not there when the config has errors. */
  readonly system?: ResolvedSystem
  /** Errors and warnings, in the order of the file. */
  readonly problems: readonly Problem[]
  /** The first-party ones and those of the config, in the order of their setup. */
  readonly plugins: readonly PluginUse[]
  /** Where those of the config come from. */
  readonly origins: LoadedPlugins['origins']
  /** Text of files that problems are in, by path. */
  readonly sources: ReadonlyMap<string, string>
  /** Names of the environment variables that the config refers to. */
  readonly variables: readonly string[]
  /** Every file whose content the system was made of, code included. */
  readonly files: readonly string[]
  /** Those of `files` that are code: a change of one needs a fresh process. */
  readonly code: readonly string[]
  /** Worth telling, but nothing in the file. */
  readonly warnings: readonly string[]
}

/** Never rejects for a mistake in the config. @throws {Failure} `SYSG_CONFIG_NOT_FOUND`, `…_UNTRUSTED`, `…_UNREADABLE`. */
export const loadConfig = async (options: LoadOptions): Promise<LoadedConfig> => {
  const found = findConfig({
    cwd: options.cwd,
    config: options.config,
    also: systemConfigFolders(options.sys === true),
  })
  const { file, folder, warning } = found
  const texts = new Map<string, string>()
  const readText = remembering(texts)
  // What is imported from here on is code of the config.
  await loadSchemas(options.firstParty)
  const modules = watchModules()
  try {
    const read = await readConfig(file, { readText, modules })
    const config: ConfigToLoad = {
      ...read,
      folder,
      plugins: options.firstParty,
      env: definedOf(options.env),
      readText,
      projectDefault: defaultProject(folder),
    }
    const { plugins, origins, ...result } =
      read.isUnusable === true ? unusable(config) : await resolved(config, modules)
    const code = [...modules.files]
    return {
      ...result,
      file,
      folder,
      plugins,
      origins,
      sources: read.sources,
      files: [...new Set([file, ...read.sources.keys(), ...texts.keys(), ...code])],
      code,
      warnings: warning === undefined ? [] : [warning],
    }
  } finally {
    modules.stop()
  }
}

type Resolved = Pick<LoadedConfig, 'system' | 'problems' | 'plugins' | 'origins' | 'variables'>

const unusable = ({ problems = [], plugins }: ResolveInput): Resolved => ({
  ...{ problems, plugins, variables: [] },
  origins: new Map(),
})

const resolved = async (config: ConfigToLoad, modules: Parameters<typeof loadPlugins>[1]): Promise<Resolved> => {
  const { uses, origins, problems } = await loadPlugins(config, modules)
  const before = [...(config.problems ?? []), ...problems]
  const result = await resolveConfig({
    ...config,
    value: withPlainPlugins(config.value),
    plugins: uses,
    problems: before,
  })
  const isDoubtful = problems.length > 0 ? mayBeOfPlugin : () => false
  return { ...result, problems: result.problems.filter((problem) => !isDoubtful(problem)), plugins: uses, origins }
}

/** A key that nobody knows may belong to a plugin that could not be loaded. */
const mayBeOfPlugin = ({ code, path, hint }: Problem): boolean =>
  code === 'SYSG_CONFIG_KEY_UNKNOWN' &&
  (path.length === 1 || (path.length === 3 && path[0] === 'services')) &&
  hint?.startsWith('Did you mean') !== true

const withPlainPlugins = (value: unknown): unknown => {
  const isListed = typeof value === 'object' && value !== null && 'plugins' in value && Array.isArray(value.plugins)
  return isListed ? { ...value, plugins: (value.plugins as readonly unknown[]).map(plainEntry) } : value
}

/** Reads files, and keeps what was read. */
const remembering =
  (texts: Map<string, string>): ReadText =>
  async (path) => {
    try {
      const text = await readFile(path, 'utf8')
      texts.set(path, text)
      return text
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR'))
        return undefined
      throw thrown
    }
  }

const definedOf = (env: LoadOptions['env']): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
