/** A name for an ad-hoc service, made of its program's. */
import { basename } from 'node:path'

/** As long as the name of a service may be. */
const longest = 63
/** Words that `exit_when` knows: no service has such a name. */
const reserved: ReadonlySet<string> = new Set(['never', 'any-failed', 'all-done'])

/** The program's file name, as far as a service may be called so; with a number behind it when that name is taken. */
export const nameFor = (program: string, isTaken: (name: string) => boolean): string => {
  const word = basename(program)
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
  const base = word === '' ? 'service' : word.slice(0, longest)
  for (let number = 1; ; number += 1) {
    const end = number === 1 ? '' : `-${number}`
    const name = base.slice(0, longest - end.length) + end
    if (!reserved.has(name) && !isTaken(name)) return name
  }
}
