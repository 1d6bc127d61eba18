/**
 * Loads a config in a Node of its own. A test runner has an `import` that is not Node's: it knows enums, and resolves
 * otherwise.
 */
import { execFile } from 'node:child_process'
import type { Problem, ResolvedSystem } from '@systemg/core'

export interface LoadedInNode {
  readonly system?: ResolvedSystem
  readonly problems: readonly Problem[]
  readonly plugins: readonly { readonly name: string; readonly options?: unknown }[]
  readonly variables: readonly string[]
  readonly files: readonly string[]
  readonly code: readonly string[]
  readonly warnings: readonly string[]
  /** `file:line:column CODE` of every problem, the file without its folder. */
  readonly places: readonly string[]
  /** What Node itself wrote, about this one or another of the same process. */
  readonly stderr: string
}

export interface LoadRequest {
  readonly cwd: string
  readonly config?: string
  readonly env?: Readonly<Record<string, string>>
}

/** All in one process, one after the other: starting one takes longer than loading. */
export const loadAllInNode = async (requests: readonly LoadRequest[]): Promise<readonly LoadedInNode[]> => {
  const args = ['--conditions=systemg-source', '--input-type=module', '-e', script, JSON.stringify(requests)]
  const options = { cwd: requests[0]?.cwd, env: { PATH: process.env['PATH'] ?? '' } }
  const { stdout, stderr } = await new Promise<{ stdout: string; stderr: string }>((resolve, reject) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr })
      else reject(new Error(`${error.message}\n${stderr}`))
    })
  })
  const loaded = JSON.parse(stdout) as readonly Omit<LoadedInNode, 'places' | 'stderr'>[]
  return loaded.map((one, index) => {
    const folder = `${requests[index]?.cwd ?? ''}/`
    const places = one.problems.map(
      ({ file, line, column, code }) => `${file.replace(folder, '')}:${line ?? '?'}:${column ?? '?'} ${code}`,
    )
    return { ...one, places, stderr }
  })
}

export const loadInNode = async (cwd: string, options: Omit<LoadRequest, 'cwd'> = {}): Promise<LoadedInNode> => {
  const [loaded] = await loadAllInNode([{ cwd, ...options }])
  if (loaded === undefined) throw new Error('nothing was loaded')
  return loaded
}

const source = new URL('../../../cli/src/', import.meta.url).href

const script = `
  const { loadConfig } = await import('${source}config/load-config.ts')
  const { firstPartyPlugins } = await import('${source}first-party.ts')
  const all = []
  for (const request of JSON.parse(process.argv.at(-1))) {
    const { plugins, sources, ...loaded } = await loadConfig({ env: {}, ...request, firstParty: firstPartyPlugins() })
    all.push({ ...loaded, plugins: plugins.map(({ plugin, options }) => ({ name: plugin.name, options })) })
  }
  process.stdout.write(JSON.stringify(all))
`
