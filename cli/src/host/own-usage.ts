/** What this process uses itself. */
import { readdirSync, readFileSync } from 'node:fs'
import type { OwnUsage } from '@systemg/core'

export const ownUsage = (): OwnUsage => {
  const { user, system } = process.cpuUsage()
  return {
    cpuMs: (user + system) / 1_000,
    memoryBytes: process.memoryUsage.rss(),
    startedAt: performance.timeOrigin,
    // Without the one that the folder itself is read by.
    openFiles: read(() => readdirSync('/proc/self/fd').length - 1),
    mostOpenFiles: read(() => Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1])),
  }
}

/** `undefined` when no descriptor is left to look with. */
const read = (look: () => number): number | undefined => {
  try {
    const found = look()
    return Number.isNaN(found) ? undefined : found
  } catch {
    return undefined
  }
}
