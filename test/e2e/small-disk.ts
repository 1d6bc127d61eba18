/** A file system with little room, where a test may mount one: root of a container may not be allowed to. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Mount one of so many bytes (`3m`) at a folder. Returns how to take it away. */
export const mountSmall = (folder: string, size: string): (() => void) => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'pipe' })
  return () => void execFileSync('umount', ['-l', folder])
}

const findMount = (): boolean => {
  if (process.getuid?.() !== 0) return false
  const folder = mkdtempSync(join(tmpdir(), 'sysg-mount-'))
  try {
    mountSmall(folder, '1m')()
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export const canMount = findMount()
if (!canMount) console.warn('skipped: a full disk needs root that may mount one')
