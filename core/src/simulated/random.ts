/** Chance that can be repeated: the same seed gives the same numbers, on every engine. */

/** A stream of numbers, even in [0, 1). */
export type Random = () => number

/**
 * A stream for a seed, and for a name within it, so that one consumer's draws never shift another's.
 *
 * The generator is mulberry32 by Tommy Ettinger (public domain).
 */
export const createRandom = (seed: number, name = ''): Random => {
  let state = mix(seed, name)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), 1 | state)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}

/** 32 hex digits. */
export const hexToken = (random: Random): string =>
  Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0'),
  ).join('')

/** FNV-1a over the seed's digits and the name. */
const mix = (seed: number, name: string): number => {
  let hash = 0x811c9dc5
  for (const character of `${seed}/${name}`) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193)
  return hash
}
