/** Reads values of a file that another tool defines: what has another type than expected is not there. */

export const mapOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {}

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Text, or a number or truth value as text. */
export const textOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}

/** One text, or a list of texts. */
export const textsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((item: unknown) => textOf(item) ?? [])

export const wholeNumberOf = (value: unknown): number | undefined => {
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : undefined
}

/** Only the keys that have a value; `undefined` when none has. */
export const presentOf = (map: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> | undefined => {
  const entries = Object.entries(map).filter(([, value]) => value !== undefined)
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

/** Names of keys that were not carried over, as one note. */
export const leftOver = (map: Readonly<Record<string, unknown>>, carried: readonly string[]): readonly string[] => {
  const names = Object.keys(map).filter((key) => !carried.includes(key) && !key.startsWith('x-') && map[key] !== null)
  return names.length === 0 ? [] : [`not carried over: ${names.join(', ')}`]
}
