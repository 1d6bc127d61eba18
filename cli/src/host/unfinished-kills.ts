/**
 * Which trees are being killed, written down before the first process is stopped (SIGSTOP): a supervisor that dies between
 * that and SIGKILL would leave a tree that looks alive and does nothing. The next one carries the kill through.
 *
 * A process that somebody else has stopped is not among them, and stays as it is.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TreeRef } from '@systemg/core'
import { isStillThere } from './adopted-processes.ts'

/** What is in the way of death (a process in `D`) is left to those who look at the tree next, ms. */
const goneLimitMs = 2_000

export interface KillsTrees {
  readonly kill: (tree: TreeRef) => Promise<unknown>
  readonly gone: (tree: TreeRef, signal: AbortSignal) => Promise<void>
}

export class UnfinishedKills {
  readonly #folder: string
  /** Tokens of trees whose tracked process lived when their kill was carried through. */
  readonly #killed = new Set<string>()

  /** @param folder - Made when it is needed. */
  constructor(folder: string) {
    this.#folder = folder
  }

  /** From here on the tree is as good as dead. Returns what to call when every process of it has got SIGKILL. */
  begin(tree: TreeRef): () => void {
    if (!/^\w+$/.test(tree.token)) return () => undefined
    const path = join(this.#folder, tree.token)
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      writeFileSync(path, JSON.stringify(tree), { mode: 0o600 })
    } catch {
      // On a full disk a kill is as good, and only not carried through by another.
    }
    return () => this.#forget(tree.token)
  }

  /** Kill what the supervisor before this one had begun to kill. Resolves when it is gone, or does not go. */
  async carryThrough({ kill, gone }: KillsTrees): Promise<void> {
    await Promise.all(
      namesIn(this.#folder).map(async (name) => {
        const tree = treeIn(join(this.#folder, name))
        if (tree?.token === name) {
          if (isStillThere(tree)) this.#killed.add(name)
          await kill(tree).catch(() => undefined)
          await gone(tree, AbortSignal.timeout(goneLimitMs)).catch(() => undefined)
        }
        this.#forget(name)
      }),
    )
  }

  /** SIGKILL is how its tracked process ended: this supervisor has sent it, for the one before. */
  hasKilled({ token }: TreeRef): boolean {
    return this.#killed.has(token)
  }

  #forget(name: string): void {
    rmSync(join(this.#folder, name), { force: true })
    try {
      rmdirSync(this.#folder)
    } catch {
      // Others are being killed.
    }
  }
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const treeIn = (path: string): TreeRef | undefined => {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TreeRef
  } catch {
    return undefined
  }
}
