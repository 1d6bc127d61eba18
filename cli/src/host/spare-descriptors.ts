/**
 * What becomes of those who connect when this process has no file descriptors left. libuv then closes one that it keeps,
 * accepts everybody with it and hangs up at once; when it has none either, it tries for ever, with all the CPU time there is.
 * It tells nobody. So this looks, a while after something was opened, and again and again while there are few left: those that
 * were kept aside are given up first, for those who want to know what is wrong; when that does not help, nobody is accepted
 * until there are some, and who connects waits.
 */
import { closeSync, openSync } from 'node:fs'
import { errnoOf } from './host-error.ts'

const wanted = 4
/** More than what is opened between two looks without a word. */
const few = 64
const lookAfterMs = 5_000

export interface Door {
  /** From here on whoever waits and comes is accepted. */
  accept(): void
  /** From here on they wait. */
  pause(): void
}

export class SpareDescriptors {
  #door: Door | undefined
  #spare: readonly number[] = []
  #isPaused = false
  #timer: NodeJS.Timeout | undefined

  /** @param door - Accepts. */
  guard(door: Door): void {
    this.#door = door
    this.#spare = takeSpare()
    this.opened()
  }

  /** To be called whenever descriptors were opened: a connection, the pipes of a service. */
  opened(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.look()
      if (!canOpen(few)) this.opened()
    }, lookAfterMs).unref()
  }

  look(): void {
    if (this.#spare.length === 0) this.#spare = takeSpare()
    else if (!canOpen(1)) this.#giveBack()
    const isPaused = this.#spare.length === 0 && !canOpen(1)
    if (isPaused === this.#isPaused) return
    this.#isPaused = isPaused
    if (isPaused) this.#door?.pause()
    else this.#door?.accept()
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#giveBack()
  }

  #giveBack(): void {
    closeAll(this.#spare)
    this.#spare = []
  }
}

/** All of them while there is another one for others, or none. */
const takeSpare = (): readonly number[] => {
  const fds = openUpTo(wanted + 1)
  const kept = fds.length > wanted ? fds.slice(0, wanted) : []
  closeAll(fds.slice(kept.length))
  return kept
}

const canOpen = (count: number): boolean => {
  const fds = openUpTo(count)
  closeAll(fds)
  return fds.length === count
}

const openUpTo = (count: number): readonly number[] => {
  const fds: number[] = []
  try {
    while (fds.length < count) fds.push(openSync('/dev/null', 'r'))
  } catch (thrown) {
    if (!['EMFILE', 'ENFILE'].includes(errnoOf(thrown))) throw thrown
  }
  return fds
}

const closeAll = (fds: readonly number[]): void => fds.forEach((fd) => closeSync(fd))
