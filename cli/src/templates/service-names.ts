/** Names from another tool as names of services: each is allowed, and none is there twice. */
import { serviceNamePattern } from '@systemg/core'

/** Words of `exit_when`. */
const reserved = ['never', 'any-failed', 'all-done']

/** @returns From each given name to the one it has here, in the same order. Of a name given twice the last counts. */
export const serviceNamesFor = (given: readonly string[]): ReadonlyMap<string, string> => {
  const taken = new Set<string>()
  const names = new Map<string, string>()
  for (const name of given) {
    const word = name
      .replace(/[^A-Za-z0-9_.-]+/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 60)
    const base = serviceNamePattern.test(word) && !reserved.includes(word) ? word : `service-${word}`.slice(0, 60)
    let unique = base
    for (let count = 2; taken.has(unique); count += 1) unique = `${base}-${count}`
    taken.add(unique)
    names.set(name, unique)
  }
  return names
}

/** A note for whoever looks for the old name. */
export const renamedNote = (given: string, name: string): readonly string[] =>
  given === name ? [] : [`was called ${JSON.stringify(given)}`]
