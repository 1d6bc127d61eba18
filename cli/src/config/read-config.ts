/**
 * Reads a config file: text to value, with positions where the format has them. Goes through cosmiconfig, with loaders
 * of our own: its YAML knows no positions, and its loader of modules runs a config that throws twice.
 */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { parseYaml, type Path, type PositionOf, type Problem, type ReadText } from '@systemg/core'
import { cosmiconfig, type Loader } from 'cosmiconfig'
import { Failure } from '../failures.ts'
import { configNames } from '../project/find-config.ts'
import { codePositions } from './code-positions.ts'
import { problemOf, type LoadFinding } from './errors.ts'
import { importModule, inTime } from './import-module.ts'
import { moduleProblem } from './module-problem.ts'
import type { ModuleWatch } from './watch-modules.ts'

export interface ReadConfig {
  readonly file: string
  readonly value: unknown
  readonly positionOf?: PositionOf
  /** Something at the path could not be read: do not complain about it again. */
  readonly unreadable?: (path: Path) => boolean
  readonly problems: readonly Problem[]
  /** Text of every file that was read, by path: to show lines of. */
  readonly sources: ReadonlyMap<string, string>
  /** Nothing of the value is known: only `problems` are worth telling. */
  readonly isUnusable?: true
  /** It was made by code, so it may hold plugins. */
  readonly isCode?: true
}

export interface ReadWith {
  readonly readText: ReadText
  readonly modules: ModuleWatch
}

/** Never rejects for a mistake in the file. @throws {Failure} `SYSG_CONFIG_UNREADABLE`. */
export const readConfig = async (file: string, world: ReadWith): Promise<ReadConfig> => {
  const wrapped = (read: (file: string, text: string) => Promise<ReadConfig>): Loader => {
    // A property called like the module keeps cosmiconfig from looking into the config for `$import`.
    return async (path, text) => ({ sysg: await read(path, text) })
  }
  const yaml = wrapped((path, text) => readYaml(path, text, world.readText))
  const code = wrapped((path, text) => readCode(path, text, world.modules))
  const json = wrapped((path, text) =>
    basename(path) === 'package.json' ? readPackage(path, text, world.readText) : readYaml(path, text, world.readText),
  )
  const codeLoaders = Object.fromEntries(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'].map((end) => [end, code]))
  const explorer = createExplorer({
    searchPlaces: [...configNames],
    loaders: { ...codeLoaders, '.json': json, '.yaml': yaml, '.yml': yaml, noExt: yaml, default: yaml },
    cache: false,
  })
  const result = await explorer.load(file).catch((thrown: unknown) => {
    throw new Failure('SYSG_CONFIG_UNREADABLE', { file, why: whyUnreadable(thrown) })
  })
  const content = result?.config as { sysg: ReadConfig } | ReadConfig | undefined
  if (content === undefined) return readYaml(file, '', world.readText)
  return 'sysg' in content ? content.sysg : content
}

/**
 * cosmiconfig takes settings of its own from the working directory: it runs `.config/config.js` there, whoever wrote
 * it, and gives up when package.json has a mistake. Neither is a config of ours, so it is shown a place that has none.
 */
const createExplorer = (options: Parameters<typeof cosmiconfig>[1]): ReturnType<typeof cosmiconfig> => {
  const original = Object.getOwnPropertyDescriptor(process, 'cwd')
  process.cwd = () => '/dev/null'
  try {
    return cosmiconfig('sysg', options)
  } finally {
    if (original !== undefined) Object.defineProperty(process, 'cwd', original)
  }
}

const readYaml = async (file: string, text: string, readText: ReadText): Promise<ReadConfig> => {
  const parsed = await parseYaml({ text, file, readText })
  return { ...parsed, unreadable: (path) => parsed.unreadable(path), file, sources: parsed.files }
}

/** JSON is YAML, so the positions come from there; what counts is what JSON makes of it. */
const readPackage = async (file: string, text: string, readText: ReadText): Promise<ReadConfig> => {
  const parsed = await parseYaml({ text, file, readText })
  const sources = new Map([[file, text]])
  try {
    const { sysg: value } = JSON.parse(text.replace(/^\uFEFF/, '')) as { sysg?: unknown }
    const positionOf: PositionOf = (path, ...how) => parsed.positionOf(['sysg', ...path], ...how)
    if (value !== undefined) return { file, value, positionOf, problems: [], sources }
    const finding: LoadFinding = [
      'SYSG_CONFIG_FAILED',
      { message: 'This package.json has no key `sysg`.', hint: 'The config stands below it.' },
    ]
    return unusable(file, [problemOf(finding, { path: [], file })], sources)
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message.replace(/ \(line \d+ column \d+\)$/, '') : String(thrown)
    const [, line, column] = /\(line (\d+) column (\d+)\)$/.exec(thrown instanceof Error ? thrown.message : '') ?? []
    const position = line === undefined ? undefined : { file, line: Number(line), column: Number(column) }
    return unusable(
      file,
      [problemOf(['SYSG_CONFIG_FAILED', { message: `This is no valid JSON: ${why}.` }], { path: [], file, position })],
      sources,
    )
  }
}

/** A module's default export: the config, or a function that makes it. */
const readCode = async (file: string, text: string, modules: ModuleWatch): Promise<ReadConfig> => {
  try {
    const exported = await importModule(file)
    const given = exported['default']
    const value = typeof given === 'function' ? await inTime(Promise.resolve((given as () => unknown)())) : await given
    const positionOf = codePositions(file, text)
    if ('default' in exported)
      return { file, value, isCode: true, positionOf, problems: [], sources: new Map([[file, text]]) }
    const hint = 'Write `export default defineConfig({ services: { … } })`.'
    const finding: LoadFinding = ['SYSG_CONFIG_FAILED', { message: 'The config has no default export.', hint }]
    return unusable(file, [problemOf(finding, { path: [], file })])
  } catch (thrown) {
    const { finding, position } = await moduleProblem(thrown, 'The config', [...modules.files].at(-1) ?? file)
    const problem = problemOf(finding, { path: [], file, position })
    const text = await readFile(problem.file, 'utf8').catch(() => undefined)
    return unusable(file, [problem], text === undefined ? undefined : new Map([[problem.file, text]]))
  }
}

const unusable = (
  file: string,
  problems: readonly Problem[],
  sources: ReadConfig['sources'] = new Map(),
): ReadConfig => ({
  file,
  value: undefined,
  problems,
  sources,
  isUnusable: true,
})

const whyUnreadable = (thrown: unknown): string => {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'EACCES') return 'permission denied'
  if (code === 'ENOENT') return 'it is gone'
  return thrown instanceof Error ? thrown.message : String(thrown)
}
