/**
 * `total_memory`: looks once a second at what the instance of a service and everything below it take, where a limit says
 * so. Over it the newest child is stopped, and when it is gone they are looked at again.
 */
import { whyOf, type Host, type InstanceInfo, type PluginApi, type SystemApi } from '@systemg/core'
import type { Child } from './child.ts'
import type { Family } from './family.ts'

const lookAgainMs = 1_000

export class MemoryWatch {
  readonly #host: Host
  readonly #system: SystemApi
  readonly #family: Family
  readonly #end: (child: Child, why: string) => void
  /** What was seen last, by instance. */
  readonly #seen = new Map<string, { readonly bytes: number; readonly atMs: number }>()
  #cancel: (() => void) | undefined
  #isLooking = false
  #isClosed = false

  constructor(
    { host, system }: Pick<PluginApi, 'host' | 'system'>,
    family: Family,
    end: (child: Child, why: string) => void,
  ) {
    this.#host = host
    this.#system = system
    this.#family = family
    this.#end = end
  }

  /** What it and everything below it take, not older than a second. Undefined when nobody limits it. */
  async of(root: InstanceInfo): Promise<number | undefined> {
    if (limitOf(root) === undefined) return undefined
    const known = this.#seen.get(root.id)
    if (known !== undefined && this.#host.clock.monotonic() - known.atMs < lookAgainMs) return known.bytes
    return this.#measure(root)
  }

  /** Somebody has a child: look, as long as that is so. */
  begin(): void {
    if (this.#isClosed || this.#isLooking || this.#cancel !== undefined) return
    this.#cancel = this.#host.clock.timer(lookAgainMs, () => void this.#look())
  }

  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  async #look(): Promise<void> {
    this.#cancel = undefined
    this.#isLooking = true
    const roots = new Set<InstanceInfo>()
    for (const { instance } of this.#family.children) {
      if (instance !== undefined) roots.add(this.#family.rootOf(instance))
    }
    const limited = [...roots].filter((root) => limitOf(root) !== undefined)
    for (const id of this.#seen.keys()) if (!limited.some((root) => root.id === id)) this.#seen.delete(id)
    // At once: the host looks at all processes together.
    await Promise.all(limited.map((root) => this.#check(root))).catch((thrown: unknown) =>
      this.#host.trace('warn', `The memory of children can't be looked at: ${whyOf(thrown)}`),
    )
    this.#isLooking = false
    if (limited.length > 0) this.begin()
  }

  async #check(root: InstanceInfo): Promise<void> {
    const limit = limitOf(root) ?? Number.POSITIVE_INFINITY
    const before = this.#family.descendantsOf(root.id)
    const used = await this.#measure(root)
    const children = this.#family.descendantsOf(root.id)
    // One that is on its way out takes its memory with it, and may have gone while it was measured.
    const isLeaving = before.some((child) => child.ending !== undefined || !children.includes(child))
    if (used <= limit || this.#isClosed || isLeaving) return
    const newest = children.findLast(({ instance }) => instance?.pid !== undefined)
    if (newest === undefined) return
    this.#tell(root, newest, used, limit)
    this.#end(newest, 'total_memory was exceeded')
    void newest.ended.then(() => this.#lookNow())
  }

  #lookNow(): void {
    if (this.#cancel === undefined) return
    this.#cancel()
    void this.#look()
  }

  async #measure(root: InstanceInfo): Promise<number> {
    const all = [root, ...this.#family.descendantsOf(root.id).flatMap(({ instance }) => instance ?? [])]
    const trees = all.flatMap(({ tree }) => tree ?? [])
    const members = await Promise.all(trees.map((tree) => this.#host.processes.members(tree)))
    // A process may be found in two trees for a moment.
    const each = new Map(members.flat().map(({ pid, memoryBytes }) => [pid, memoryBytes]))
    const bytes = [...each.values()].reduce((sum, one) => sum + one, 0)
    this.#seen.set(root.id, { bytes, atMs: this.#host.clock.monotonic() })
    return bytes
  }

  #tell(root: InstanceInfo, { name, instance }: Child, used: number, limit: number): void {
    this.#system.emit(
      'spawn.memory_exceeded',
      { service: root.service.name, ...(instance === undefined ? {} : { instance: instance.id }) },
      { name, pid: instance?.pid ?? null, used_bytes: used, limit_bytes: limit },
    )
  }
}

const limitOf = ({ service }: InstanceInfo): number | undefined => service.spawn?.limits.total_memory
