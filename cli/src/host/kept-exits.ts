/**
 * How programs ended that nobody was looking at: one that others wait for runs below a shell that writes its exit code into
 * a file. A signal is told as shells do: 128 and its number.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Exit, SpawnSpec } from '@systemg/core'
import { isStartable } from './spawn-failure.ts'

const script = `"$@"; code=$?
echo "$code" >"$0.new" && mv "$0.new" "$0"; exit "$code"`

export class KeptExits {
  readonly #folder: string
  readonly #kept = new Set<string>()

  /** @param folder - Made when it is needed. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** What to run so that its exit code is kept. What cannot be run is left as it is: then the kernel says why. */
  argvOf({ argv, cwd, env, token }: SpawnSpec): readonly [string, ...string[]] {
    if (!isStartable({ argv, cwd, env })) return argv
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    this.#kept.add(token)
    return ['/bin/sh', '-c', script, this.#pathOf(token), ...argv]
  }

  /** It is still of interest. */
  keep(token: string): void {
    this.#kept.add(token)
  }

  /** `undefined` when nothing was kept, or it has not ended. */
  read(token: string): Exit | undefined {
    try {
      const code = Number(readFileSync(this.#pathOf(token), 'utf8').trim() || Number.NaN)
      return Number.isInteger(code) ? { code, signal: null } : undefined
    } catch {
      return undefined
    }
  }

  /** Somebody has seen it. */
  forget(token: string): void {
    if (this.#kept.delete(token)) rmSync(this.#pathOf(token), { force: true })
  }

  /** What is of interest to nobody goes. */
  sweep(): void {
    for (const name of names(this.#folder)) {
      if (!this.#kept.has(name)) rmSync(join(this.#folder, name), { force: true })
    }
  }

  #pathOf(token: string): string {
    return join(this.#folder, token)
  }
}

const names = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}
