/**
 * A few descriptors kept aside, so that the control socket can be asked when this process has no others left: whoever
 * wants to know what is wrong must get an answer.
 */
import { closeSync, openSync } from 'node:fs'

const wanted = 4
/** Nothing else is left to do than to wait; accepting would be tried again at once, for ever. */
const breathMs = 20

export class SpareDescriptors {
  #spare: number[] = []

  constructor() {
    this.refill()
  }

  /** None is left: what comes now can only be turned away. */
  get isEmpty(): boolean {
    return this.#spare.length === 0
  }

  /** Give one up for somebody who waits. */
  giveOne(): void {
    const fd = this.#spare.pop()
    if (fd !== undefined) closeSync(fd)
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, breathMs)
  }

  /** Take as many as there should be, or as can be had. */
  refill(): void {
    try {
      while (this.#spare.length < wanted) this.#spare.push(openSync('/dev/null', 'r'))
    } catch {
      // There are none; the next one that is closed is taken.
    }
  }

  close(): void {
    for (const fd of this.#spare.splice(0)) closeSync(fd)
  }
}
