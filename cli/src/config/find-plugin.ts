/** From a plugin's name or path to its file, looked up from the config's folder. */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { nearest } from '@systemg/core'
import type { LoadFinding } from './errors.ts'
import { whyOfThrown } from './module-problem.ts'
import type { ModuleWatch } from './watch-modules.ts'

export interface PluginWanted {
  /** As written. */
  readonly name: string
  /** The config's file. */
  readonly from: string
  /** Names of plugins that are always there. */
  readonly firstParty: readonly string[]
}

/** A file's path, or why there is none. `plugins: [redis]` also finds the package `systemg-plugin-redis`. */
export const findPlugin = (wanted: PluginWanted, modules: ModuleWatch): { file: string } | { finding: LoadFinding } => {
  const { name, from } = wanted
  if (isPath(name)) return findFile(name, dirname(from))
  let first: unknown
  for (const specifier of /^[\w.-]+$/.test(name) ? [name, `systemg-plugin-${name}`] : [name]) {
    try {
      const url = modules.resolve(specifier, from)
      if (url.startsWith('file:')) return { file: fileURLToPath(url) }
      return { finding: ['SYSG_PLUGIN_INVALID', { name, why: 'that is a module of Node itself' }] }
    } catch (thrown) {
      first ??= thrown
      if (!isMissing(thrown)) return { finding: ['SYSG_PLUGIN_INVALID', { name, why: whyOfThrown(thrown) }] }
    }
  }
  return { finding: notInstalled(wanted) }
}

const isPath = (name: string): boolean => /^\.{0,2}\//.test(name) || isAbsolute(name)

const findFile = (name: string, folder: string): { file: string } | { finding: LoadFinding } => {
  const file = resolve(folder, name)
  const found = statSync(file, { throwIfNoEntry: false })
  if (found?.isDirectory() === true) {
    const index = ['index.ts', 'index.js', 'index.mjs'].find((candidate) => existsSync(join(file, candidate)))
    const hint =
      index === undefined ? 'Name the file that exports the plugin.' : `Name its file: \`${join(name, index)}\`.`
    return { finding: ['SYSG_PLUGIN_INVALID', { name, why: 'that is a folder', hint }] }
  }
  if (found !== undefined) return { file }
  const near = nearest(basename(name), namesIn(dirname(file)))
  const hint =
    near === undefined
      ? 'A path starts from the folder of the config.'
      : `Did you mean \`${join(dirname(name), near)}\`?`
  return { finding: ['SYSG_PLUGIN_NOT_FOUND', { name, why: `there is no file ${file}`, hint }] }
}

const notInstalled = ({ name, from, firstParty }: PluginWanted): LoadFinding => {
  const folder = dirname(from)
  const why = `it is not installed for ${folder}`
  if (firstParty.includes(name)) {
    const hint = 'It is part of systemg and always there: remove it here.'
    return ['SYSG_PLUGIN_NOT_FOUND', { name, why: 'no package has that name', hint }]
  }
  if (existsSync(resolve(folder, name)))
    return ['SYSG_PLUGIN_NOT_FOUND', { name, why, hint: `A path begins with a dot: \`./${name}\`.` }]
  const installed = [...installedPlugins(folder)]
  const near = nearest(name, [...installed, ...installed.map(shortName)])
  const packageName = name.includes('/') || name.startsWith('systemg-plugin-') ? name : `systemg-plugin-${name}`
  const hint =
    near === undefined
      ? `\`npm install ${packageName}\` adds it.`
      : `Did you mean \`${near}\`? If not: \`npm install ${packageName}\`.`
  return ['SYSG_PLUGIN_NOT_FOUND', { name, why, hint }]
}

const shortName = (name: string): string => name.replace(/^(?:@systemg\/plugin-|(?:@[^/]+\/)?systemg-plugin-)/, '')

/** Packages that are called like plugins, in this folder's `node_modules` and those above. */
const installedPlugins = (folder: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (let at = folder; ; at = dirname(at)) {
    const modules = join(at, 'node_modules')
    for (const name of namesIn(modules)) {
      if (name.startsWith('systemg-plugin-')) found.add(name)
      if (!name.startsWith('@')) continue
      for (const inner of namesIn(join(modules, name))) {
        if (inner.startsWith('systemg-plugin-') || `${name}/${inner}`.startsWith('@systemg/plugin-'))
          found.add(`${name}/${inner}`)
      }
    }
    if (dirname(at) === at) return found
  }
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The package itself is missing, or a file that it names; not something that it imports. */
const isMissing = (thrown: unknown): boolean =>
  thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_MODULE_NOT_FOUND'
