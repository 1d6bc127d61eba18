/** Chance that can be had again: mulberry32. */
export class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** From 0 to below 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    return this.next() * limit
  }

  /** True so often. */
  often(share: number): boolean {
    return this.next() < share
  }

  one<T>(of: readonly [T, ...T[]]): T {
    return of[Math.floor(this.below(of.length))] ?? of[0]
  }
}
