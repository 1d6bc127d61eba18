/** From what was typed to a command and its options. Strict: what is not known is wrong usage. */
import type { ParseArgsConfig } from 'node:util'
import { util } from './builtin.ts'
import { logLevels, type Command, type GlobalOptions, type LogLevel, type Typed } from './command.ts'
import { Failure } from './failures.ts'

type Options = NonNullable<ParseArgsConfig['options']>

export const globalOptions = {
  config: { type: 'string', short: 'c' },
  project: { type: 'string', short: 'p' },
  sys: { type: 'boolean' },
  'drop-privileges': { type: 'boolean' },
  'log-level': { type: 'string' },
  'no-color': { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'V' },
} as const satisfies Options

/** The command's name is the first word that is no option and no option's value. */
export const findCommand = (argv: readonly string[]): { name: string | undefined; args: readonly string[] } => {
  for (let index = 0; index < argv.length; index += 1) {
    const word = argv[index] ?? ''
    if (word === '--') break
    if (takesValue(word)) index += 1
    else if (!word.startsWith('-')) return { name: word, args: [...argv.slice(0, index), ...argv.slice(index + 1)] }
  }
  return { name: undefined, args: argv }
}

/** The config that is asked for, of a command that is not known yet and may take any options. */
export const configIn = (args: readonly string[]): Pick<GlobalOptions, 'config' | 'sys'> => {
  const end = args.indexOf('--')
  const given = [...(end === -1 ? args : args.slice(0, end))]
  const { values } = util.parseArgs({ args: given, options: globalOptions, allowPositionals: true, strict: false })
  return { config: text(values.config), sys: values.sys === true }
}

const takesValue = (word: string): boolean =>
  Object.entries(globalOptions).some(
    ([long, option]) =>
      option.type === 'string' && (word === `--${long}` || ('short' in option && word === `-${option.short}`)),
  )

/** @throws {Failure} `SYSG_USAGE`. */
export const parseFor = (
  name: string | undefined,
  command: Command | undefined,
  args: readonly string[],
): { typed: Typed; globals: GlobalOptions; color: boolean; help: boolean; version: boolean } => {
  const end = args.indexOf('--')
  const given = withValues(command?.withoutValue ?? {}, end === -1 ? args : args.slice(0, end))
  const parsed = parseStrictly(name, optionsOf(command), given)
  const { positionals } = parsed
  const values = withMainNames(name, command, parsed.values)
  const rest = end === -1 ? undefined : args.slice(end + 1)
  return {
    typed: { values, positionals, rest },
    color: values['color'] !== false && values['no-color'] !== true,
    help: values['help'] === true,
    version: values['version'] === true,
    globals: {
      config: text(values['config']),
      project: text(values['project']),
      sys: values['sys'] === true,
      dropPrivileges: values['drop-privileges'] === true,
      logLevel: logLevelOf(name, text(values['log-level'])),
      json: values['json'] === true,
    },
  }
}

/** What may stand without a value has one, unless a number follows: a name is no value. */
const withValues = (values: Readonly<Record<string, string>>, args: readonly string[]): readonly string[] =>
  args.flatMap((word, index) => {
    const value = word.startsWith('--') ? values[word.slice(2)] : undefined
    return value === undefined || /^\d/.test(args[index + 1] ?? '') ? [word] : [word, value]
  })

const optionsOf = (command: Command | undefined): Options => {
  const own = Object.entries(command?.args ?? {}).flatMap(([long, def]): [string, Options[string]][] => {
    const type = def.type === 'boolean' ? 'boolean' : 'string'
    const [short, ...others] = shortNames(def)
    const longs = Object.entries(command?.otherNames ?? {}).filter(([, main]) => main === long)
    return [
      [long, { type, ...(short === undefined ? {} : { short }) }],
      ...longs.map(([other]): [string, Options[string]] => [other, { type }]),
      // An option has one short name; a second one is an option of its own here.
      ...others.map((other): [string, Options[string]] => [other, { type, short: other }]),
    ]
  })
  const service: Options = command?.services === true ? { service: { type: 'string', short: 's', multiple: true } } : {}
  return { ...globalOptions, ...service, ...Object.fromEntries(own) }
}

type Arg = NonNullable<Command['args']>[string]

const shortNames = (def: Arg): readonly string[] =>
  def.type === 'positional' || !('alias' in def) ? [] : [def.alias ?? []].flat()

/** What was typed under another name of an option, under its main one. @throws {Failure} When it was typed under both. */
const withMainNames = (name: string | undefined, command: Command | undefined, typed: Typed['values']) => {
  const values = { ...typed }
  const shorts = Object.entries(command?.args ?? {}).flatMap(([main, def]) =>
    shortNames(def).map((short) => [short, main] as const),
  )
  for (const [other, main] of [...Object.entries(command?.otherNames ?? {}), ...shorts]) {
    if (values[other] === undefined) continue
    if (values[main] !== undefined) {
      const message = `\`--${main}\` was given twice: \`${other.length === 1 ? '-' : '--'}${other}\` means the same.`
      throw new Failure('SYSG_USAGE', { message, command: name })
    }
    values[main] = values[other]
    Reflect.deleteProperty(values, other)
  }
  return values
}

const parseStrictly = (name: string | undefined, options: Options, args: readonly string[]) => {
  try {
    const { values, positionals } = util.parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
      allowNegative: true,
    })
    return { values: values as Typed['values'], positionals }
  } catch (thrown) {
    throw new Failure('SYSG_USAGE', { message: inOurWords(thrown, name, options), command: name })
  }
}

/** What Node says of wrong options, the shorter. */
const inOurWords = (thrown: unknown, name: string | undefined, options: Options): string => {
  const said = thrown instanceof Error ? thrown.message : String(thrown)
  const [, lacking, how] =
    /^Option '(?:-\w, )?(--?[\w-]+)(?: <value>)?' argument (missing|is ambiguous)/.exec(said) ?? []
  if (lacking !== undefined) {
    const dashed = lacking.startsWith('--') ? `${lacking}=-…` : `${lacking}-…`
    return `\`${lacking}\` needs a value.${how === 'missing' ? '' : ` One that begins with \`-\` is joined to it: \`${dashed}\`.`}`
  }
  const unknown = /^Unknown option '(--?[^']+)'/.exec(said)?.[1]
  if (unknown === undefined) return said.replace(/\n[\s\S]*$/, '')
  const near = Object.keys(options).filter((option) => unknown.length > 4 && `--${option}`.startsWith(unknown))
  const meant = near.length === 1 ? ` Did you mean \`--${near[0] ?? ''}\`?` : ''
  const takesProgram = name === 'start' || name === 'spawn'
  const program = takesProgram && meant === '' ? ' An option of a program to start stands behind `--`.' : ''
  return `There is no option \`${unknown}\`.${meant}${program}`
}

const text = (value: Typed['values'][string]): string | undefined => (typeof value === 'string' ? value : undefined)

const logLevelOf = (command: string | undefined, value: string | undefined): LogLevel => {
  if (value === undefined) return 'info'
  const level = logLevels[Number(value)] ?? logLevels.find((known) => known === value.toLowerCase())
  if (level !== undefined) return level
  throw new Failure('SYSG_USAGE', {
    message: `\`--log-level\` takes ${logLevels.join(', ')} or 0 to 5, not \`${value}\`.`,
    command,
  })
}
