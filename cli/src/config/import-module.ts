/** Imports code that a user wrote: a config, a plugin, another tool's config. */
import { pathToFileURL } from 'node:url'

/** How long code may take to load. */
const loadLimitMs = 60_000

/** What a module exports. Throws whatever loading it throws, and when it does not finish. */
export const importModule = (file: string): Promise<Readonly<Record<string, unknown>>> =>
  inTime(import(pathToFileURL(file).href) as Promise<Readonly<Record<string, unknown>>>)

/** The result of work that code of a user does. The timer also keeps Node alive: it would leave without a word. */
export const inTime = async <T>(work: Promise<T>): Promise<T> => {
  const late = Promise.withResolvers<never>()
  const give = () => late.reject(new Error(`it did not finish within ${loadLimitMs / 1000} s`))
  const timer = setTimeout(give, loadLimitMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
