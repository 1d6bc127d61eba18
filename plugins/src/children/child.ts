/** One child, from the moment it is asked for until nothing of it lives. Holds state, decides nothing. */
import type { Exit, InstanceInfo } from '@systemg/core'

/** A child as people see it: an entry of `children` in `status --json`. */
export interface ChildView {
  readonly name: string
  /** What `sysg stop` and `sysg logs` know it by: `orch:w1`. */
  readonly service: string
  readonly pid: number | null
  readonly state: 'starting' | 'running' | 'stopping'
  readonly depth: number
  /** ISO 8601; null when it has no time limit. */
  readonly expires_at: string | null
  readonly children: readonly ChildView[]
}

/** What it is told in its environment, and what a later supervisor knows it by. */
export const nameVariable = 'SYSG_CHILD_NAME'
export const expiryVariable = 'SYSG_EXPIRES_AT'

export class Child {
  /** As its parent called it. */
  readonly name: string
  /** Wall clock, ms. */
  readonly expiresAtMs: number | undefined
  /** Missing until the core has made it. */
  instance: InstanceInfo | undefined
  /** The parent that asked for it; from then on the instance says whom it belongs to. */
  readonly #parent: string | undefined
  /** Why it is being ended, in words. */
  ending: string | undefined
  isStarted = false
  exit: Exit | undefined
  /** Resolves when nothing of it lives. */
  readonly ended: Promise<void>
  readonly end: () => void

  constructor(name: string, parent: string | undefined, expiresAtMs: number | undefined) {
    this.name = name
    this.#parent = parent
    this.expiresAtMs = expiresAtMs
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.end = resolve
  }

  /** The id of the instance that it belongs to; undefined when it stands for itself. */
  get parent(): string | undefined {
    return this.instance === undefined ? this.#parent : this.instance.transient?.owner
  }

  get state(): ChildView['state'] {
    const isStopping = this.ending !== undefined || this.instance?.stopRequest !== undefined
    if (isStopping || this.exit !== undefined) return 'stopping'
    return this.isStarted ? 'running' : 'starting'
  }

  get expiresAt(): string | null {
    return this.expiresAtMs === undefined ? null : new Date(this.expiresAtMs).toISOString()
  }
}

/** One that an earlier supervisor started, as its environment tells. */
export const adoptedChild = (instance: InstanceInfo): Child => {
  const { [nameVariable]: name, [expiryVariable]: expiry } = instance.launch?.env ?? {}
  const expiresAtMs = expiry === undefined ? Number.NaN : Date.parse(expiry)
  const plain = name ?? instance.service.name.replace(/^[^:]*:/, '')
  const child = new Child(plain, undefined, Number.isNaN(expiresAtMs) ? undefined : expiresAtMs)
  child.instance = instance
  child.isStarted = true
  return child
}
