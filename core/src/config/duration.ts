/** Durations as users write them (`"90s"`, `"1m30s"`, `10`) and as code reads them: whole milliseconds. */
/** Milliseconds of `"90s"`, `"1m30s"`, `"10"` or `10`; `undefined` when it is no duration. */
export const parseDuration = (value: string | number): number | undefined => {
  const text = String(value).trim()
  if (/^\d+(\.\d+)?$/.test(text)) return whole(Number(text) * 1_000)
  if (!/^(\d+[a-z]+)+$/.test(text)) return undefined
  let total = 0
  let last = Number.POSITIVE_INFINITY
  for (const [, count, unit] of text.matchAll(/(\d+)([a-z]+)/g)) {
    const unitMs = unitOf(unit ?? '')
    if (unitMs === undefined || unitMs >= last) return undefined
    total += Number(count) * unitMs
    last = unitMs
  }
  return whole(total)
}

/** The shortest way to write a duration: `90_000` is `1m30s`. Fractions of a millisecond are rounded. */
export const formatDuration = (ms: number): string => {
  let rest = Math.round(ms)
  let text = ''
  for (const [unit, unitMs] of units) {
    const count = Math.floor(rest / unitMs)
    if (count > 0) text += `${count}${unit}`
    rest -= count * unitMs
  }
  return text === '' ? '0s' : text
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const

const longNames: Readonly<Record<string, (typeof units)[number][0]>> = {
  day: 'd',
  days: 'd',
  hour: 'h',
  hours: 'h',
  minute: 'm',
  minutes: 'm',
  second: 's',
  seconds: 's',
}

/** Of a unit as it is written, ms. */
export const unitOf = (written: string): number | undefined => {
  const unit = Object.hasOwn(longNames, written) ? longNames[written] : written
  return units.find(([name]) => name === unit)?.[1]
}

const whole = (ms: number): number | undefined => {
  const rounded = Math.round(ms)
  return Number.isSafeInteger(rounded) ? rounded : undefined
}
