/**
 * Looks after Node's module loader while a config is loaded:
 *
 * - remembers every file that is imported, so that a reload knows whether code has changed;
 * - resolves plugins as the config's own folder would, with the conditions of `import`;
 * - lets a config import `systemg` when only the `sysg` that runs has it (a global installation);
 * - reads a `.ts` or `.js` file with `import` or `export` as a module, whatever the nearest package.json says: it is
 *   written for systemg, and `npm init` makes packages CommonJS.
 */
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface ModuleWatch {
  /** Paths of the files imported so far, in order. One that could not be parsed is the last. */
  readonly files: ReadonlySet<string>
  /** URL of what `specifier` means in `file`. Throws what Node throws. */
  resolve(specifier: string, file: string): string
  stop(): void
}

export const watchModules = (): ModuleWatch => {
  const files = new Set<string>()
  /** Stands in for this file while it asks for somebody else. */
  let asking: string | undefined
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (asking !== undefined) return next(specifier, { ...context, parentURL: asking })
      try {
        return next(specifier, context)
      } catch (thrown) {
        if (!isOurs(specifier)) throw thrown
        return next(specifier, { ...context, parentURL: import.meta.url })
      }
    },
    load(url, context, next) {
      if (!url.startsWith('file:')) return next(url, context)
      const path = fileURLToPath(url)
      files.add(path)
      const format = moduleFormat(path)
      return next(url, format === undefined ? context : { ...context, format })
    },
  })
  return {
    files,
    resolve: (specifier, file) => {
      asking = pathToFileURL(file).href
      try {
        return import.meta.resolve(specifier)
      } finally {
        asking = undefined
      }
    },
    stop: () => hooks.deregister(),
  }
}

const isOurs = (specifier: string): boolean => /^(?:systemg|@systemg\/(?:core|plugins))(?:\/|$)/.test(specifier)

const moduleFormat = (path: string): string | undefined => {
  if (!/\.[jt]s$/.test(path) || path.includes('/node_modules/')) return undefined
  const text = readFileSync(path, 'utf8')
  const isModule = /^\s*(?:import|export)\b(?!\s*=)/m.test(text) && !/\bmodule\.exports\b/.test(text)
  if (!isModule) return undefined
  return path.endsWith('.ts') ? 'module-typescript' : 'module'
}
