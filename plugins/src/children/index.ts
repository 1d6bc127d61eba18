/**
 * Lets programs of a service start tracked children of their own, with `sysg spawn`.
 *
 * Owns the service key `spawn`. A child is a transient of the core: a service that runs once, in no config, and belongs to
 * an instance. This plugin says who may start one, how many, how long they live, and what becomes of them when their parent
 * ends. Taps `environment`, `prepare`, `started`, `adopted`, `exited`, `beforeStop`, `ending`, `stopped`, `view`, `reload`
 * and `event`. Registers the control method `spawn`. Limits and policies are named as in the process trees of Erlang's supervisors and Unix.
 */
import { definePlugin, type Exit, type InstanceInfo } from '@systemg/core'
import type { z } from 'zod'
import { adoptedChild, nameVariable, type Child, type ChildView } from './child.ts'
import { Family } from './family.ts'
import { LeftLogs } from './left-logs.ts'
import { Lifetimes } from './lifetime.ts'
import { MemoryWatch } from './memory.ts'
import type { Spawn, spawn as spawnKey } from './options.ts'
import { Parting } from './parting.ts'
import { Spawning, spawnParams } from './spawning.ts'

export type { ChildView } from './child.ts'
export type { Spawn, SpawnLimits, TerminationPolicy } from './options.ts'

export const children = definePlugin({
  name: 'children',
  schemas: () => import('./options.ts'),
  live: ['spawn'],
  inherited: ['spawn'],
  setup(api) {
    const { hooks, system } = api
    const family = new Family()
    const end = (child: Child, why: string) => {
      child.ending ??= why
      if (child.instance !== undefined) system.endRun(child.instance.id, child.ending)
    }
    const lifetimes = new Lifetimes(api, end)
    const memory = new MemoryWatch(api, family, end)
    const parting = new Parting(family, system, end)
    const leftLogs = new LeftLogs(api)
    const spawning = new Spawning(api, family, memory)
    /** How transients ended, until nothing of them lives. */
    const exits = new Map<string, Exit>()

    hooks.environment.tap({ name: 'children', stage: 1_000 }, (made, { service }) => {
      return spawning.environmentOf(service.name) ?? made
    })
    // Whoever runs may ask, also while nobody has been told yet that it runs.
    hooks.prepare.tap('children', (spec, { instance }) => {
      family.add(instance)
      return spec
    })
    hooks.started.tap('children', (instance) => {
      const child = family.child(instance.id)
      if (child === undefined) return
      child.isStarted = true
      leftLogs.takeBack(instance.service.name)
      lifetimes.follow(child)
      memory.begin()
      tellStarted(instance, child)
    })
    hooks.adopted.tap('children', (instance) => {
      family.add(instance)
      if (!isChild(instance)) return
      lifetimes.follow(takeUp(instance))
      memory.begin()
    })
    hooks.beforeStart.tapPromise('children', ({ service }) => parting.settled(service.name))
    hooks.beforeStop.tap({ name: 'children', stage: -100 }, ({ instance }) => parting.begin(instance))
    hooks.exited.tap({ name: 'children', stage: -100 }, (lines, { instance }) => {
      family.beginEnding(instance.id)
      return lines
    })
    hooks.ending.tap('children', (works, instance) => {
      // One that ended while no supervisor ran, and waits for its own children.
      if (isChild(instance) && family.child(instance.id) === undefined) takeUp(instance)
      return [...works, ...parting.finish(instance)]
    })
    hooks.stopped.tap('children', (instance) => {
      family.remove(instance)
      const exit = exits.get(instance.id)
      exits.delete(instance.id)
      const child = family.child(instance.id) ?? (isChild(instance) ? adoptedChild(instance) : undefined)
      if (child === undefined) return
      lifetimes.forget(child)
      tellExited(instance, child, exit)
      leftLogs.add(instance.service.name)
      family.dismiss(child)
    })
    hooks.event.tap('children', (event) => {
      const { type, instance = '', data } = event
      if (type === 'system.started') parting.settle()
      if (type !== 'service.exited' || event.service?.includes(':') !== true) return
      const { exit } = data as { exit: Exit }
      exits.set(instance, exit)
      const child = family.child(instance)
      if (child !== undefined) child.exit = exit
    })
    hooks.view.tap('children', (view) => {
      const tree = family.treeBelow(view.instances.map(({ id }) => id))
      return tree.length === 0 ? view : { ...view, children: tree }
    })
    hooks.reload.tap('children', ({ after }) => spawning.keepOnly((name) => name in after.services))
    api.registerMethod('spawn', (params) => spawning.spawn(spawnParams().parse(params)))
    api.onDispose(() => {
      lifetimes.close()
      memory.close()
    })

    const takeUp = (instance: InstanceInfo): Child => {
      const child = adoptedChild(instance)
      child.exit = exits.get(instance.id)
      family.add(instance)
      family.admit(child)
      return child
    }
    const tellStarted = (instance: InstanceInfo, child: Child) => {
      const line = family.lineOf(instance)
      const parent = line[1] ?? instance
      system.emit(
        'spawn.started',
        { service: family.rootOf(instance).service.name, instance: instance.id },
        {
          name: child.name,
          pid: instance.pid ?? 0,
          parent: family.nameOf(parent),
          depth: line.length - 1,
          service: instance.service.name,
          command: instance.service.command,
          expires_at: child.expiresAt,
        },
      )
    }
    const tellExited = (instance: InstanceInfo, child: Child, exit: Exit | undefined) => {
      // One that never ran was rejected.
      if (exit === undefined && instance.pid === undefined) return
      system.emit(
        'spawn.exited',
        { service: instance.service.name.split(':')[0] ?? '', instance: instance.id },
        {
          name: child.name,
          pid: instance.pid ?? null,
          exit: exit ?? { code: null, signal: null, unknown: true },
          reason: child.ending ?? null,
          service: instance.service.name,
        },
      )
    }
  },
})

const isChild = ({ launch }: InstanceInfo): boolean => launch?.env[nameVariable] !== undefined

declare module '@systemg/core' {
  interface ServiceConfig {
    /** Lets its programs start tracked children, with `sysg spawn`. From the `children` plugin. */
    spawn?: z.input<typeof spawnKey>
  }
  interface ResolvedService {
    readonly spawn?: Spawn | undefined
  }
  interface ServiceView {
    /** Children that its programs have started, with theirs. Missing when there are none. From the `children` plugin. */
    readonly children?: readonly ChildView[]
  }
  interface EventData {
    /** A child runs. `service`: what `sysg stop` and `sysg logs` know it by. */
    'spawn.started': {
      name: string
      pid: number
      parent: string
      depth: number
      service: string
      command: string
      expires_at: string | null
    }
    /** A child was asked for and not started. `limit`, `value` and `count` when a limit did not allow it. */
    'spawn.rejected': {
      name: string
      parent: string
      reason: string
      limit?: string
      value?: number
      count?: number
    }
    /** Nothing of a child lives any more. `reason`: why it was ended; null when it ended by itself, or a person stopped it. */
    'spawn.exited': { name: string; pid: number | null; exit: Exit; reason: string | null; service: string }
    /** Its parent has ended and it goes on: below `to`, or as a service of its own. */
    'spawn.moved': { name: string; pid: number; from: string; to: string | null; service: string }
    /** `total_memory` was exceeded, and this child, the newest, is stopped for it. */
    'spawn.memory_exceeded': { name: string; pid: number | null; used_bytes: number; limit_bytes: number }
  }
}
