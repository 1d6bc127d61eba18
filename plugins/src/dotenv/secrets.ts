/** Which variables are shown masked. */

/** What people see in place of a secret. */
const mask = '********'

const secretWords =
  /pass(?:w|wd|word|phrase)?(?:$|[_\W\d])|secret|token|credential|private|(?:api|access|auth|encryption|signing|license|session)[_-]?key|(?:^|_)(?:key|auth|pat|pin|salt|cookie|dsn)$/i

/** Whether the name of a variable says that its value is a secret. */
const isSecret = (name: string): boolean => secretWords.test(name)

/** The value as it may be shown: hidden for a secret; of a URL, the password alone. */
export const masked = (name: string, value: string): string => {
  if (value !== '' && isSecret(name)) return mask
  return value.replace(/([a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi, `$1${mask}@`)
}
