/** What becomes of children when their parent ends. */
import type { InstanceInfo, SystemApi } from '@systemg/core'
import type { Child } from './child.ts'
import type { Family } from './family.ts'
import type { TerminationPolicy } from './options.ts'

export class Parting {
  readonly #family: Family
  readonly #system: SystemApi
  readonly #end: (child: Child, why: string) => void

  constructor(family: Family, system: SystemApi, end: (child: Child, why: string) => void) {
    this.#family = family
    this.#system = system
    this.#end = end
  }

  /** It is asked to stop: under `cascade` its children are, too, at the same time. */
  begin(parent: InstanceInfo): void {
    this.#family.beginEnding(parent.id)
    if (this.#policyFor(parent) === 'cascade') void this.#cascade(parent)
  }

  /** Nothing of it lives. Returns what has to end before it counts as ended. */
  finish(parent: InstanceInfo): readonly Promise<void>[] {
    this.#family.beginEnding(parent.id)
    const policy = this.#policyFor(parent)
    if (policy === 'cascade') return this.#cascade(parent)
    const heir = policy === 'reparent' ? this.#heirOf(parent) : undefined
    for (const child of this.#family.childrenOf(parent.id)) this.#give(child, parent, heir)
    return this.#family.childrenOf(parent.id).map(({ ended }) => ended)
  }

  /** Children that an earlier supervisor left, whose parent is gone: its policy was not carried out to the end. */
  settle(): void {
    for (const [child, instance] of this.#left()) {
      if (policyOf(instance) === 'cascade') this.#end(child, 'its parent has ended')
      else this.#system.giveTo(instance.id, undefined)
    }
  }

  /** What comes next of the service begins without those that are to end with the one before. */
  async settled(service: string): Promise<void> {
    const ending = this.#left().filter(
      ([, instance]) => instance.service.name.startsWith(`${service}:`) && policyOf(instance) === 'cascade',
    )
    for (const [child] of ending) this.#end(child, 'its parent has ended')
    await Promise.all(ending.map(([child]) => child.ended))
  }

  #left(): readonly (readonly [Child, InstanceInfo])[] {
    return [...this.#family.children].flatMap((child) => {
      const { parent, instance } = child
      if (parent === undefined || instance === undefined || this.#family.instance(parent) !== undefined) return []
      return [[child, instance] as const]
    })
  }

  #cascade(parent: InstanceInfo): readonly Promise<void>[] {
    const children = this.#family.childrenOf(parent.id)
    for (const child of children) this.#end(child, `${this.#family.nameOf(parent)} ended`)
    return children.map(({ ended }) => ended)
  }

  /** One that is being stopped, or does not run yet, goes nowhere. */
  #give(child: Child, from: InstanceInfo, heir: InstanceInfo | undefined): void {
    const { instance } = child
    if (instance?.pid === undefined) {
      this.#end(child, `${this.#family.nameOf(from)} ended`)
      return
    }
    this.#system.giveTo(instance.id, heir?.id)
    this.#system.emit(
      'spawn.moved',
      { service: from.service.name, instance: instance.id },
      {
        name: child.name,
        pid: instance.pid,
        from: this.#family.nameOf(from),
        to: heir === undefined ? null : this.#family.nameOf(heir),
        service: instance.service.name,
      },
    )
  }

  /** The nearest ancestor that goes on. */
  #heirOf(parent: InstanceInfo): InstanceInfo | undefined {
    const [, ...above] = this.#family.lineOf(parent)
    return above.find(({ id }) => !this.#family.isEnding(id))
  }

  /** When everything ends, nobody is left behind. */
  #policyFor(parent: InstanceInfo): TerminationPolicy {
    return this.#system.isStopping ? 'cascade' : policyOf(this.#family.rootOf(parent))
  }
}

const policyOf = ({ service }: InstanceInfo): TerminationPolicy => service.spawn?.limits.termination_policy ?? 'cascade'
