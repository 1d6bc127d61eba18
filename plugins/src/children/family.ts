/** Who lives, and who belongs to whom: every instance that could be a parent, and every child. */
import type { InstanceInfo } from '@systemg/core'
import type { Child, ChildView } from './child.ts'

export class Family {
  /** Instances of services and children, by id: from before they run until nothing of them lives. */
  readonly #instances = new Map<string, InstanceInfo>()
  readonly #byToken = new Map<string, InstanceInfo>()
  /** In the order of their start. */
  readonly #children = new Set<Child>()
  readonly #childOf = new Map<string, Child>()
  /** Asked to stop, or their process has ended. */
  readonly #ending = new Set<string>()

  add(instance: InstanceInfo): void {
    this.#instances.set(instance.id, instance)
    this.#byToken.set(instance.token, instance)
  }

  /** Nothing of it lives. */
  remove(instance: InstanceInfo): void {
    this.#instances.delete(instance.id)
    this.#byToken.delete(instance.token)
    this.#ending.delete(instance.id)
  }

  /** A child is asked for. It counts from now on. */
  admit(child: Child): void {
    this.#children.add(child)
    if (child.instance !== undefined) this.#childOf.set(child.instance.id, child)
  }

  /** The core has made an instance for it. */
  name(child: Child, instance: InstanceInfo): void {
    child.instance = instance
    this.#childOf.set(instance.id, child)
    this.add(instance)
  }

  dismiss(child: Child): void {
    this.#children.delete(child)
    if (child.instance !== undefined) this.#childOf.delete(child.instance.id)
    child.end()
  }

  isEnding(instance: string): boolean {
    return this.#ending.has(instance) || this.#childOf.get(instance)?.ending !== undefined
  }

  beginEnding(instance: string): void {
    if (this.#instances.has(instance)) this.#ending.add(instance)
  }

  byToken(token: string): InstanceInfo | undefined {
    return this.#byToken.get(token)
  }

  instance(id: string): InstanceInfo | undefined {
    return this.#instances.get(id)
  }

  child(instance: string): Child | undefined {
    return this.#childOf.get(instance)
  }

  get children(): Iterable<Child> {
    return this.#children
  }

  /** The oldest first. */
  childrenOf(instance: string): readonly Child[] {
    return [...this.#children].filter(({ parent }) => parent === instance)
  }

  /** The oldest first. */
  descendantsOf(instance: string): readonly Child[] {
    const below = new Set([instance])
    return [...this.#children].filter((child) => {
      // A parent was there before its children, but one that was given to another may be older than its parent.
      if (!this.#isBelow(child, below)) return false
      if (child.instance !== undefined) below.add(child.instance.id)
      return true
    })
  }

  /** The instance and those above it, the nearest first. */
  lineOf(instance: InstanceInfo): readonly InstanceInfo[] {
    const line = [instance]
    for (let owner = instance.transient?.owner; owner !== undefined; owner = line.at(-1)?.transient?.owner) {
      const next = this.#instances.get(owner)
      if (next === undefined || line.includes(next)) break
      line.push(next)
    }
    return line
  }

  /** The service's own instance, at the top. */
  rootOf(instance: InstanceInfo): InstanceInfo {
    return this.lineOf(instance).at(-1) ?? instance
  }

  /** What people call it: the service, or the name its parent gave it. */
  nameOf(instance: InstanceInfo): string {
    return this.#childOf.get(instance.id)?.name ?? instance.service.name
  }

  /** Children of these instances with theirs, as people see them. */
  treeBelow(instances: readonly string[], depth = 1): readonly ChildView[] {
    return instances.flatMap((id) => this.childrenOf(id)).map((child) => this.#viewOf(child, depth))
  }

  #viewOf(child: Child, depth: number): ChildView {
    const { instance } = child
    return {
      name: child.name,
      service: instance?.service.name ?? '',
      pid: instance?.pid ?? null,
      state: child.state,
      depth,
      expires_at: child.expiresAt,
      children: instance === undefined ? [] : this.treeBelow([instance.id], depth + 1),
    }
  }

  #isBelow(child: Child, above: ReadonlySet<string>): boolean {
    for (let { parent } = child; parent !== undefined; parent = this.#childOf.get(parent)?.parent) {
      if (above.has(parent)) return true
    }
    return false
  }
}
