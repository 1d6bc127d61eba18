/**
 * Reads a pipe as often as pays: at once after a silence, and otherwise what a millisecond of small writes has brought
 * together. A program that writes line by line would wake this process for each line, and be slowed by it.
 */
import { watchReadable, type Readiness } from './readiness.ts'

/** Who writes so much within a pause fills an ordinary pipe before long, and is read without one. */
const muchBytes = 16 * 1024

const pauseMs = 1

/**
 * Read from `start` on.
 *
 * @param read - Reads what is there; returns how many bytes that were.
 */
export const readPaced = (fd: number, read: () => number, watch: Watch = watchReadable): Readiness => {
  let timer: NodeJS.Timeout | undefined
  let lastMs = Number.NEGATIVE_INFINITY
  const readiness = watch(fd, () => {
    if (read() >= muchBytes) return
    const nowMs = performance.now()
    if (nowMs - lastMs < pauseMs) {
      readiness.stop()
      timer = setTimeout(afterPause, pauseMs)
    }
    lastMs = nowMs
  })
  const afterPause = (): void => {
    const bytes = read()
    lastMs = performance.now()
    if (timer === undefined) return
    if (bytes > 0 && bytes < muchBytes) timer.refresh()
    else {
      timer = undefined
      readiness.start()
    }
  }
  const cancel = (): void => {
    clearTimeout(timer)
    timer = undefined
  }
  return {
    start() {
      if (timer === undefined) readiness.start()
    },
    stop() {
      cancel()
      readiness.stop()
    },
    close() {
      cancel()
      return readiness.close()
    },
  }
}

type Watch = (fd: number, onReadable: () => void) => Readiness
