/** What an error says, with `‹name›` in place of each fact. */
import type { ErrorCatalog, ErrorText } from '@systemg/core'

/** The text of one entry of a catalogue. */
export const textOf = (entry: ErrorCatalog[keyof ErrorCatalog]): ErrorText => {
  const { message, hint } = (entry as (facts: never) => { message: Said; hint?: Said })(facts)
  return hint === undefined ? { message: String(message) } : { message: String(message), hint: String(hint) }
}

/** Text, or a fact that is the whole message. */
interface Said {
  toString(): string
}

/** Stands for any fact: text, a number, or a list of more than one thing. */
const fact = (name: string): object => {
  const text = `‹${name}›`
  return {
    toString: () => text,
    length: 2,
    join: () => text,
    map: (make: (item: object) => unknown) => [make(fact(name))],
    startsWith: () => false,
  }
}

const facts = new Proxy({} as never, { get: (_facts, name) => (typeof name === 'string' ? fact(name) : undefined) })
