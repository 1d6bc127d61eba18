/**
 * What becomes of those who connect when this process has no file descriptors left. libuv then closes one that it keeps,
 * accepts everybody with it and hangs up at once; when it has none either, it tries for ever, with all the CPU time there is.
 * It tells nobody. So this looks from time to time: a few that were kept aside are given up first, for those who want to
 * know what is wrong; when that does not help, nobody is accepted until there are some, and who connects waits.
 */
import { closeSync, openSync } from 'node:fs'
import { errnoOf } from './host-error.ts'

const wanted = 4

export interface Door {
  /** From here on whoever waits and comes is accepted. */
  accept(): void
  /** From here on they wait. */
  pause(): void
}

export class SpareDescriptors {
  readonly #door: Door
  #spare: readonly number[] = takeSpare()
  #isPaused = false

  /** @param door - Accepts. */
  constructor(door: Door) {
    this.#door = door
  }

  /** To be called every few seconds. */
  look(): void {
    if (this.#spare.length === 0) this.#spare = takeSpare()
    else if (isShort()) this.close()
    const isPaused = this.#spare.length === 0 && isShort()
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    if (isPaused) this.#door.pause()
    else this.#door.accept()
  }

  close(): void {
    this.#spare.forEach((fd) => closeSync(fd))
    this.#spare = []
  }
}

const isShort = (): boolean => {
  try {
    closeSync(openSync('/dev/null', 'r'))
    return false
  } catch (thrown) {
    return ['EMFILE', 'ENFILE'].includes(errnoOf(thrown))
  }
}

/** All of them while there is another one for others, or none. */
const takeSpare = (): readonly number[] => {
  const fds: number[] = []
  try {
    while (fds.length < wanted) fds.push(openSync('/dev/null', 'r'))
    if (!isShort()) return fds
  } catch {
    // There are not so many.
  }
  fds.forEach((fd) => closeSync(fd))
  return []
}
