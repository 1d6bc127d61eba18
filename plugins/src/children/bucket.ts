/** A token bucket: so many at once, and as many again each second. Time is an argument. */

/** A bucket holds at least one, so that a rate below one is a slow one and not none. */
const roomOf = (perSecond: number): number => Math.max(1, perSecond)

export class Bucket {
  #tokens = Number.POSITIVE_INFINITY
  #atMs = 0

  /**
   * Take one.
   *
   * @param nowMs - Steady time.
   * @returns how many had been taken and had not come back, when there was none left; else undefined.
   */
  take(perSecond: number, nowMs: number): number | undefined {
    const room = roomOf(perSecond)
    const grown = this.#tokens + ((nowMs - this.#atMs) / 1_000) * perSecond
    this.#tokens = Math.min(room, grown)
    this.#atMs = nowMs
    // What comes back in thirds adds up to a little less than one.
    if (this.#tokens < 1 - 1e-9) return Math.ceil(room - this.#tokens)
    this.#tokens -= 1
    return undefined
  }
}
