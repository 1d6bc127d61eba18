/** Failures of Node as `HostError`s: an errno name, and a sentence that says what was tried. */
import { HostError, whyOf } from '@systemg/core'

/** The errno name of anything that was thrown: `EINVAL` for what Node itself refuses, `EIO` when nothing is known. */
export const errnoOf = (thrown: unknown): string => {
  if (thrown instanceof HostError) return thrown.errno
  if (thrown instanceof TypeError) return 'EINVAL'
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (typeof code !== 'string') return 'EIO'
  return /^E[A-Z0-9]+$/.test(code) ? code : 'EINVAL'
}

/** @param what - What was tried, for people: `write /x/y.log`. */
export const hostError = (what: string, thrown: unknown): HostError => {
  if (thrown instanceof HostError) return thrown
  return new HostError(errnoOf(thrown), `${what}: ${reasonOf(thrown)}`, { cause: thrown })
}

/** The value, or a `HostError` that says what was tried. */
export const attempt = <T>(what: string, body: () => T): T => {
  try {
    return body()
  } catch (thrown) {
    throw hostError(what, thrown)
  }
}

/** No such file: the path, or a folder on the way to it, does not exist. */
export const isMissing = (thrown: unknown): boolean => ['ENOENT', 'ENOTDIR'].includes(errnoOf(thrown))

/** The system's words without Node's frame: of `ENOSPC: no space left on device, write` the middle. */
const reasonOf = (thrown: unknown): string => {
  const message = whyOf(thrown)
  return /^E[A-Z0-9]+: ([^,]+)/.exec(message)?.[1] ?? message
}
