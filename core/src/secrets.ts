/**
 * Keeps secrets out of what people see: values of variables and keys whose names say so, passwords in URLs, and these
 * same values wherever else they appear. Pure. Files of logs hold what programs write, and are nobody's to change.
 */

/** What people see in place of a secret. */
export const mask = '********'

const secretWords =
  /pass(?:w|wd|words?|phrases?)?(?:$|[_\W\d])|secret|token|credential|private|authorization|(?:api|access|auth|encryption|signing|license|session)[_-]?key|(?:^|[_-])(?:keys?|auth|pat|pin|salt|cookie|dsn)(?:[_-]?\d+)?$/i

/** Whether the name of a variable, or of a key, says that its value is a secret. */
export const isSecretName = (name: string): boolean => secretWords.test(name)

/** The value as it may be shown: hidden for a secret; of a URL, the password alone. */
export const masked = (name: string, value: string): string => {
  if (value !== '' && isSecretName(name)) return mask
  return withoutPasswords(value)
}

/** A value of a config with everything masked whose key says that it is a secret. */
export const maskedDeep = (value: unknown, key = ''): unknown => {
  if (typeof value === 'string') return masked(key, value)
  if (typeof value === 'number') return key !== '' && isSecretName(key) ? mask : value
  if (Array.isArray(value)) return value.map((one: unknown) => maskedDeep(one, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskedDeep(inner, name)]))
}

/** A shorter value may be a word of its own, and would be hidden everywhere. */
const shortest = 6
/** More are not remembered: the oldest are forgotten. */
const mostValues = 1_000

/** The values of secrets that are in use, and texts without them. */
export class Secrets {
  /** By value, the longest first when sorted for use. */
  readonly #values = new Set<string>()
  /** By name of a variable, what was learnt of it last: environments of services are mostly the same. */
  readonly #learnt = new Map<string, string>()
  #sorted: readonly string[] | undefined = []
  readonly #isPublic: (value: string) => boolean

  /** @param isPublic - A value that is also the name of something is not hidden: `postgres` is many a password. */
  constructor(isPublic: (value: string) => boolean = () => false) {
    this.#isPublic = isPublic
  }

  /** Those that know these values, whatever they are called. */
  static of(values: Iterable<string>): Secrets {
    const secrets = new Secrets()
    for (const value of values) secrets.#add(value)
    return secrets
  }

  /** Remember the secrets of an environment. */
  learn(env: Readonly<Record<string, string | undefined>>): void {
    for (const [name, value = ''] of Object.entries(env)) {
      if (value.length < shortest || name.startsWith('SYSG_') || this.#learnt.get(name) === value) continue
      if (this.#learnt.size >= mostValues) this.#learnt.clear()
      this.#learnt.set(name, value)
      if (isSecretName(name)) this.#add(value)
      for (const [, , password = ''] of value.matchAll(urlPassword)) this.#add(password)
    }
  }

  /** The text without any secret that is known, or looks like one. */
  hide(text: string): string {
    if (text.length < shortest) return text
    let shown = text
    for (const value of this.#byLength()) if (shown.includes(value)) shown = shown.replaceAll(value, mask)
    return withoutOptions(withoutPasswords(shown))
  }

  /** The same for all texts in a value. Errors become the text of their stack. */
  hideIn<T>(value: T): T {
    return this.#hidden(value) as T
  }

  #hidden(value: unknown): unknown {
    if (typeof value === 'string') return this.hide(value)
    if (value instanceof Error) return this.hide(value.stack ?? value.message)
    if (Array.isArray(value))
      return value.map((one: unknown, at) => (isValueOfOption(value[at - 1], one) ? mask : this.#hidden(one)))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, identities.has(name) ? inner : this.#hidden(inner)]),
    )
  }

  #add(value: string): void {
    if (value.length < shortest || this.#values.has(value) || this.#isPublic(value)) return
    const [oldest] = this.#values
    if (this.#values.size >= mostValues && oldest !== undefined) this.#values.delete(oldest)
    this.#values.add(value)
    this.#sorted = undefined
  }

  #byLength(): readonly string[] {
    return (this.#sorted ??= [...this.#values].sort((a, b) => b.length - a.length))
  }
}

/** Fields that say what something is; nothing works when these are changed. */
const identities: ReadonlySet<string> = new Set([
  ...['name', 'id', 'service', 'instance', 'project', 'type', 'state', 'health', 'slot', 'role', 'origin', 'code'],
  ...['services', 'depends_on', 'from', 'to', 'plugin', 'hook', 'time', 'since'],
])

// Bounded, so that a long text costs no more than its length.
const urlPassword = /((?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,30}:\/\/[^\s/:@]{0,255}:)([^\s/@]{1,1024})@/gi

const withoutPasswords = (text: string): string =>
  text.includes('://') ? text.replace(urlPassword, (_, before: string) => `${before}${mask}@`) : text

/** `--password=x`, `--password x`, `PGPASSWORD=x` of a command line. */
const option = /(^|[\s'"])(--?[\w-]{3,}(?:=|\s+(?=[^\s-]))|[A-Z_]\w*=)(["']?)([^\s"';|&]+)\3/g

/** In a list of arguments: `--password`, then this. */
const isValueOfOption = (before: unknown, value: unknown): boolean =>
  typeof before === 'string' &&
  typeof value === 'string' &&
  /^--?[\w-]{3,}$/.test(before) &&
  !value.startsWith('-') &&
  isSecretName(before.replace(/^-+/, ''))

const withoutOptions = (text: string): string =>
  text.includes('=') || text.includes('--')
    ? text.replace(option, (all: string, before: string, name: string, quote: string) =>
        isSecretName(name.replace(/^-+|[=\s]+$/g, '')) ? `${before}${name}${quote}${mask}${quote}` : all,
      )
    : text

/** A line of a config, as long as it was, without the values of secrets and the passwords of URLs. */
export const maskedLine = (line: string): string => {
  let shown = line
  for (const { 0: before, 1: name = '', index } of line.matchAll(assigned)) {
    if (!isSecretName(name)) continue
    written.lastIndex = index + before.length
    const [value = ''] = written.exec(line) ?? []
    if (reference.test(value)) continue
    shown = shown.slice(0, index + before.length) + starred(value) + shown.slice(index + before.length + value.length)
  }
  return shown.replace(urlPassword, (_, before: string, password: string) => `${before}${starred(password)}@`)
}

/** `KEY: `, `"KEY": `, `KEY=`. */
const assigned = /(?<![\w.-])([\w.-]{1,100})["']?\s{0,9}[:=]\s{0,9}/g

/** What stands behind: in quotes, a list, or up to the next entry. */
const written = /(?:"[^"]*"?|'[^']*'?|\[[^\]]*\]?|(?:\$\{[^}]*\}?|[^,{}[\]])+)/y

/** What is looked up elsewhere is no secret; a default of it would be. */
const reference = /^["']?\$(?:\w|\{\w+\}(?![^"'\s]))/

const starred = (text: string): string => text.replace(/[^\s"'[\],]/g, '*')
