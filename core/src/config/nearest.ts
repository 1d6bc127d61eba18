/** Finds what somebody probably meant. */

/**
 * The candidate that is written most like `name`: same letters in another spelling (`restart-policy`), a few slips
 * (at most one in three letters), or a longer name around it. `undefined` when none is near.
 */
export const nearest = (name: string, candidates: Iterable<string>): string | undefined => {
  const wanted = plain(name)
  let best: { candidate: string; slips: number } | undefined
  for (const candidate of candidates) {
    const other = plain(candidate)
    const limit = Math.max(1, Math.floor(Math.max(wanted.length, other.length) / 3))
    const slips = Math.abs(wanted.length - other.length) > limit ? limit + 1 : distance(wanted, other)
    const counted = slips > limit && contains(wanted, other) ? limit : slips
    if (counted <= limit && counted < Math.min(wanted.length, other.length) && counted < (best?.slips ?? Infinity))
      best = { candidate, slips: counted }
  }
  return best?.candidate
}

const plain = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[-_.\s]/g, '')
    .slice(0, 64)

const contains = (a: string, b: string): boolean => {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  return short.length >= 4 && long.includes(short)
}

/** Letters to insert, remove, replace, or swap with their neighbour. Optimal string alignment. */
const distance = (a: string, b: string): number => {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1)
      row.push(best)
    }
    beforeLast = last
    last = row
  }
  return last[b.length] ?? 0
}
