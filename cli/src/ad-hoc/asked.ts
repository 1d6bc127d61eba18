/** What the words behind `sysg start` stand for: services, or a program with its arguments. */
import { serviceNames, type Typed } from '../command.ts'
import { Failure } from '../failures.ts'

/** A program to start as an ad-hoc service. */
export interface AdHocCommand {
  /** Undefined: one is made of the program's. */
  readonly name: string | undefined
  readonly argv: readonly [string, ...string[]]
}

export interface Asked {
  readonly command: AdHocCommand | undefined
  /** Undefined: all. */
  readonly services: readonly string[] | undefined
  /** The same words as a program, which they are where no config says what is a service. */
  readonly orCommand: AdHocCommand | undefined
}

/**
 * Words behind `--`, or with `--name`, are a program. All others are services, so that a misspelt one starts nothing;
 * only where there is no config they may be a program as well.
 *
 * @throws {Failure} `SYSG_USAGE`.
 */
export const askedOf = (typed: Typed): Asked => {
  const { positionals, rest } = typed
  const { name, service } = typed.values
  const services = serviceNames(typed)
  if (rest === undefined && name === undefined) {
    const orCommand = service === undefined ? commandOf(undefined, positionals) : undefined
    return { command: undefined, services: services.length > 0 ? services : undefined, orCommand }
  }
  if (service !== undefined)
    throw wrong('`-s` names services of the config; the name of a new ad-hoc service is given with `--name`.')
  if (rest !== undefined && positionals.length > 0)
    throw wrong(
      `\`${positionals.join(' ')}\` stands before \`--\`. The program comes behind it, and its name is given with \`--name\`.`,
    )
  if (typeof name === 'string') requireName(name)
  const command = commandOf(typeof name === 'string' ? name : undefined, rest ?? positionals)
  if (command !== undefined) return { command, services: undefined, orCommand: undefined }
  throw wrong(`The program to start is missing: \`sysg start ${name === undefined ? '' : '--name n '}-- program\`.`)
}

const commandOf = (name: string | undefined, words: readonly string[]): AdHocCommand | undefined => {
  const [program, ...others] = words
  return program === undefined || program === '' ? undefined : { name, argv: [program, ...others] }
}

/** Said here as well as by the core, which speaks of configs. */
const requireName = (name: string): void => {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(name)) return
  throw wrong(
    `\`${name}\` can't be the name of a service: up to 63 of a-z, A-Z, 0-9, \`_\`, \`.\` and \`-\`, a letter or digit first.`,
  )
}

const wrong = (message: string): Failure => new Failure('SYSG_USAGE', { message, command: 'start' })
