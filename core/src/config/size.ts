/** Sizes as users write them (`"512M"`, `"2GB"`, `1048576`) and as code reads them: whole bytes. */
/** Bytes of `"10M"`, `"1.5GiB"`, `"100"` or `100`; `undefined` when it is no size. */
export const parseSize = (value: string | number): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)\s*(?:([KMGT])(?:i?B)?|B)?$/i.exec(String(value).trim())
  if (match === null) return undefined
  const power = match[2] === undefined ? 0 : letters.indexOf(match[2].toUpperCase()) + 1
  const bytes = Math.round(Number(match[1]) * 1024 ** power)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** A size for people, with at most one decimal: `10485760` is `10M`, `1500` is `1.5K`, `100` is `100B`. */
export const formatSize = (bytes: number): string => {
  let value = bytes
  let power = 0
  while (rounded(value) >= 1024 && power < letters.length) {
    value /= 1024
    power += 1
  }
  return `${power === 0 ? Math.round(value) : rounded(value)}${power === 0 ? 'B' : (letters[power - 1] ?? '')}`
}

const letters = ['K', 'M', 'G', 'T']

const rounded = (value: number): number => Math.round(value * 10) / 10
