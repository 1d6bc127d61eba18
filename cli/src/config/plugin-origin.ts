/** Where a plugin comes from, and which version of it that is. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** `first-party` is part of systemg; `inline` is an object in a config that is code. */
export type PluginOrigin =
  | { readonly kind: 'first-party' }
  | { readonly kind: 'package'; readonly name: string; readonly version: string | null; readonly file: string }
  | { readonly kind: 'path'; readonly file: string }
  | { readonly kind: 'inline' }

/** @param use - As the config names it. @param file - What that was found to be. */
export const originOf = (use: string, file: string): PluginOrigin => {
  if (/^(\.{0,2}\/)/.test(use)) return { kind: 'path', file }
  const { name = use, version = null } = packageOf(file) ?? {}
  return { kind: 'package', name, version, file }
}

/** The nearest package.json with a name: one without may only say how its folder's modules are to be read. */
const packageOf = (file: string): { name?: string; version?: string } | undefined => {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    const found = readPackage(join(folder, 'package.json'))
    if (found?.name !== undefined) return found
    if (dirname(folder) === folder) return undefined
  }
}

const readPackage = (path: string): { name?: string; version?: string } | undefined => {
  try {
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as Readonly<Record<string, unknown>>
    return {
      ...(typeof name === 'string' ? { name } : {}),
      ...(typeof version === 'string' ? { version } : {}),
    }
  } catch {
    return undefined
  }
}
