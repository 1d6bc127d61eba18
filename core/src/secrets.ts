/** What must not be shown: which names stand for secrets, and how their values are hidden. */

/** What people see in place of a secret. */
export const mask = '********'

const secretWords =
  /pass(?:w|wd|word|phrase)?(?:$|[_\W\d])|secret|token|credential|private|(?:api|access|auth|encryption|signing|license|session)[_-]?key|(?:^|_)(?:key|auth|pat|pin|salt|cookie|dsn)$/i

/** Whether the name of a variable says that its value is a secret. */
export const isSecretName = (name: string): boolean => secretWords.test(name)

/** The value as it may be shown: hidden for a secret; of a URL, the password alone. */
export const masked = (name: string, value: string): string =>
  value !== '' && isSecretName(name) ? mask : withoutPasswords(value)

/**
 * A text as it may be shown: without these secrets, and without the passwords of URLs.
 *
 * @param secrets - Those shorter than four characters are left alone: they are everywhere.
 */
export const withoutSecrets = (text: string, secrets: Iterable<string>): string => {
  const longestFirst = [...secrets].filter(({ length }) => length >= 4).sort((a, b) => b.length - a.length)
  return withoutPasswords(longestFirst.reduce((rest, secret) => rest.replaceAll(secret, mask), text))
}

/** JSON as it may be shown, all its texts and what secret names stand for. */
export const jsonWithoutSecrets = (value: unknown, secrets: Iterable<string>): unknown => {
  const all = [...secrets]
  const hidden = (part: unknown): unknown => {
    if (typeof part === 'string') return withoutSecrets(part, all)
    if (Array.isArray(part)) return part.map(hidden)
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(
      Object.entries(part).map(([name, of]) => [name, isSecretName(name) && of !== null ? mask : hidden(of)]),
    )
  }
  return hidden(value)
}

const withoutPasswords = (text: string): string =>
  text.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi, `$1${mask}@`)
