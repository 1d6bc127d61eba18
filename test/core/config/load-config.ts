/** Loads a YAML text as the cli does, from files in memory. */
import { z } from 'zod'
import { duration, parseYaml, type Problem, resolveConfig, type ResolveResult } from '../../../core/src/config/index.ts'
import { definePlugin, type Plugin } from '../../../core/src/plugin.ts'

const envKey = z.strictObject({ vars: z.record(z.string(), z.string()).default({}), file: z.string().optional() })

/** Owns `env`, as the real plugin of that name does; `file` holds one `NAME=value` per line. */
export const dotenv = definePlugin({
  name: 'dotenv',
  service: { env: envKey.prefault({}) },
  system: { env: envKey.prefault({}) },
  async variables(raw) {
    const { system, service, folder } = raw
    const { vars = {}, file } = ((service ?? system).env ?? {}) as Partial<z.output<typeof envKey>>
    const text = file === undefined ? '' : await raw.readText(`${folder}/${file}`)
    if (text === undefined) throw new Error(`${file ?? ''} does not exist`)
    const lines = text.split('\n').filter((line) => line.includes('='))
    return { ...Object.fromEntries(lines.map((line) => line.split('=', 2) as [string, string])), ...vars }
  },
})

/** Owns a key that takes several kinds of values, and a map in a map. */
export const restart = definePlugin({
  name: 'restart',
  service: {
    restart_policy: z.enum(['never', 'on-failure', 'always']).default('never'),
    backoff: z
      .union([duration, z.strictObject({ initial: duration.prefault('1s'), factor: z.number().min(1).default(2) })])
      .prefault({}),
  },
})

export interface Loaded extends ResolveResult {
  readonly files: ReadonlyMap<string, string>
  /** `line:column code` of every problem. */
  readonly places: readonly string[]
}

/** The file is `/app/systemg.yaml`; `files` are others, by absolute path. */
export const load = async (
  text: string,
  options: {
    files?: Record<string, string>
    env?: Record<string, string>
    plugins?: readonly Plugin[]
  } = {},
): Promise<Loaded> => {
  const file = '/app/systemg.yaml'
  const readText = async (path: string): Promise<string | undefined> => options.files?.[path]
  const parsed = await parseYaml({ text, file, readText })
  const plugins = (options.plugins ?? [dotenv, restart]).map((plugin) => ({ plugin }))
  const projectDefault = { id: 'app-1a2b', name: 'app' }
  const env = options.env ?? {}
  const result = await resolveConfig({ ...parsed, file, folder: '/app', plugins, env, readText, projectDefault })
  return { ...result, files: parsed.files, places: result.problems.map(placeOf) }
}

const placeOf = ({ file, line, column, code }: Problem): string =>
  `${file === '/app/systemg.yaml' ? '' : `${file}:`}${line ?? '?'}:${column ?? '?'} ${code}`
