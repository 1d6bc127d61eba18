/** A folder without a config as a system of its own, and services that stand in no config. */
import { resolveConfig, type PluginUse, type ResolvedService, type ResolvedSystem } from '@systemg/core'
import { Failure } from '../failures.ts'

/** What there is of a config where there is none. */
export interface NoConfig {
  readonly file: undefined
  readonly system: ResolvedSystem
  readonly plugins: readonly PluginUse[]
  readonly code: readonly string[]
}

/** A system without services, with every default filled in. */
export const noConfig = async (
  folder: string,
  project: ResolvedSystem['project'],
  firstParty: readonly PluginUse[],
): Promise<NoConfig> => {
  const value = { services: {} }
  const { system, problems } = await resolveConfig({ ...input(folder, firstParty), value, projectDefault: project })
  if (system === undefined) throw new Error(problems[0]?.message ?? 'the defaults make no system')
  return { file: undefined, system, plugins: firstParty, code: [] }
}

/**
 * A service that runs a program as it was typed, with the defaults of a system.
 *
 * @throws {Failure} `SYSG_USAGE` when there can be none such: a plugin wants something that no command line says.
 */
export const adHocService = async (
  { system, plugins }: Pick<NoConfig, 'system' | 'plugins'>,
  { name, argv, cwd }: { readonly name: string; readonly argv: readonly string[]; readonly cwd: string },
): Promise<ResolvedService> => {
  const service = { exec: argv.map(literal), working_dir: literal(cwd) }
  const value = { stop_timeout: `${system.stop_timeout}ms`, services: { [name]: service } }
  const resolved = await resolveConfig({ ...input(cwd, plugins), value, projectDefault: system.project })
  const found = resolved.system?.services[name]
  if (found !== undefined) return found
  const [problem] = resolved.problems
  throw new Failure('SYSG_USAGE', { message: problem?.message ?? 'This can be no service.', command: 'start' })
}

const input = (folder: string, plugins: readonly PluginUse[]) => ({
  ...{ folder, plugins, file: folder, env: {} },
  readText: () => Promise.resolve(undefined),
})

/** What was typed is meant as it is: `$` begins no reference. */
const literal = (text: string): string => text.replaceAll('$', '$$$$')
