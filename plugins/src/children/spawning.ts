/** Starts a child for whoever has the token of a living instance, if the limits allow it. */
import {
  once,
  baseEnvironment,
  serviceNamePattern,
  SysgError,
  whyOf,
  type InstanceInfo,
  type MadeEnvironment,
  type PluginApi,
} from '@systemg/core'
import * as z from 'zod/mini'
import { Bucket } from './bucket.ts'
import { Child, expiryVariable, nameVariable } from './child.ts'
import type { Family } from './family.ts'
import { exceeded } from './limits.ts'
import type { MemoryWatch } from './memory.ts'
import { badName, nameTaken, notDynamic, overLimit, parentEnding, unknownToken, type Exceeded } from './refusal.ts'
import type { Spawn } from './options.ts'

/** A hundred years: what ends later than dates go can be told to nobody. */
const longestTtlMs = 100 * 365 * 86_400_000

export const spawnParams = once(() =>
  z.strictObject({
    token: z.string(),
    /** Default: made of the program's. */
    name: z.optional(z.string()),
    argv: z.tuple([z.string().check(z.minLength(1))], z.string()),
    cwd: z.string().check(z.startsWith('/')),
    env: z.record(z.string(), z.string()),
    ttl_ms: z.optional(z.number().check(z.positive(), z.maximum(longestTtlMs))),
    log_level: z.optional(z.string().check(z.maxLength(20))),
  }),
)

type Asked = z.output<ReturnType<typeof spawnParams>>

export class Spawning {
  readonly #api: PluginApi
  readonly #family: Family
  readonly #memory: MemoryWatch
  /** By service. */
  readonly #buckets = new Map<string, Bucket>()
  /** What those that are about to start have in their environment, by service. */
  readonly #environments = new Map<string, Readonly<Record<string, string>>>()

  constructor(api: PluginApi, family: Family, memory: MemoryWatch) {
    this.#api = api
    this.#family = family
    this.#memory = memory
  }

  /** @throws {SysgError} why not. */
  async spawn(asked: Asked): Promise<{ name: string; service: string; pid: number; id: string }> {
    const parent = this.#family.byToken(asked.token)
    if (parent === undefined) throw unknownToken()
    const name = asked.name ?? this.#nameFor(parent, asked.argv[0])
    try {
      const memoryBytes = await this.#memory.of(this.#family.rootOf(parent))
      return await this.#start(parent, name, asked, memoryBytes)
    } catch (thrown) {
      this.#tellRejected(parent, name, thrown)
      throw thrown
    }
  }

  /** The environment of one that is about to start: nothing of it is from the config. */
  environmentOf(service: string): MadeEnvironment | undefined {
    const env = this.#environments.get(service)
    return env === undefined ? undefined : { env }
  }

  async #start(parent: InstanceInfo, name: string, asked: Asked, memoryBytes: number | undefined) {
    const settings = this.#admit(parent, name, memoryBytes)
    const { clock } = this.#api.host
    const child = new Child(name, parent.id, asked.ttl_ms === undefined ? undefined : clock.now() + asked.ttl_ms)
    // Before anybody knows of it: what fails here leaves nothing behind.
    const environment = environmentFor(parent, child, asked)
    // Counts from here on, so that many who ask at once do not get past a limit.
    this.#family.admit(child)
    let service = ''
    try {
      const instance = await this.#api.system.startTransient({
        name,
        host: { ...parent.service, spawn: settings },
        argv: asked.argv,
        working_dir: asked.cwd,
        owner: parent.id,
        expiresAt: child.expiresAtMs,
        onNamed: (made) => {
          service = made.service.name
          this.#environments.set(service, environment)
          this.#family.name(child, made)
        },
      })
      return { name, service, pid: instance.pid ?? 0, id: instance.id }
    } catch (thrown) {
      // One that was named is dismissed when nothing of it lives.
      if (service === '') this.#family.dismiss(child)
      throw thrown
    } finally {
      this.#environments.delete(service)
    }
  }

  /** @throws {SysgError} why not. @returns what holds for it. */
  #admit(parent: InstanceInfo, name: string, memoryBytes: number | undefined): Spawn {
    const root = this.#family.rootOf(parent)
    const settings = root.service.spawn
    const mine = this.#family.nameOf(parent)
    if (settings?.mode !== 'dynamic') throw notDynamic(root.service.name)
    if (this.#family.isEnding(parent.id)) throw parentEnding(mine)
    if (!serviceNamePattern.test(name)) throw badName(name)
    const same = this.#family.childrenOf(parent.id).find((child) => child.name === name)
    if (same !== undefined) throw nameTaken(name, mine, same.instance?.pid)
    const over = exceeded(this.#family, parent, settings.limits, memoryBytes)
    if (over !== undefined) throw withFacts(overLimit(name, over.of, over), over)
    const { rate } = settings.limits
    const taken = this.#bucketOf(root).take(rate, this.#api.host.clock.monotonic())
    if (taken === undefined) return settings
    const facts = { limit: 'rate', value: rate, count: taken } as const
    throw withFacts(overLimit(name, root.service.name, facts), facts)
  }

  #bucketOf({ service: { name } }: InstanceInfo): Bucket {
    const known = this.#buckets.get(name)
    if (known !== undefined) return known
    const bucket = new Bucket()
    this.#buckets.set(name, bucket)
    return bucket
  }

  /** Buckets of services that are gone. */
  keepOnly(isKnown: (service: string) => boolean): void {
    for (const name of this.#buckets.keys()) if (!isKnown(name)) this.#buckets.delete(name)
  }

  /** The program's name, with a number behind when a sibling has it. */
  #nameFor(parent: InstanceInfo, program: string): string {
    const plain = (program.split('/').at(-1) ?? '').replaceAll(/[^A-Za-z0-9_.-]/g, '-').replace(/^[^A-Za-z0-9]+/, '')
    const base = plain === '' ? 'child' : plain.slice(0, 50)
    const taken = new Set(this.#family.childrenOf(parent.id).map(({ name }) => name))
    for (let number = 1; ; number += 1) {
      const name = number === 1 ? base : `${base}-${number}`
      if (!taken.has(name)) return name
    }
  }

  #tellRejected(parent: InstanceInfo, name: string, thrown: unknown): void {
    const { limit, value, count } = (thrown instanceof SysgError ? facts.get(thrown) : undefined) ?? {}
    this.#api.system.emit(
      'spawn.rejected',
      { service: this.#family.rootOf(parent).service.name, instance: parent.id },
      {
        name: name.slice(0, 100),
        parent: this.#family.nameOf(parent),
        reason: whyOf(thrown),
        ...(limit === undefined ? {} : { limit, value: value ?? 0, count: count ?? 0 }),
      },
    )
  }
}

/** Which limit an error is about, for the event. */
const facts = new WeakMap<SysgError, Exceeded>()

const withFacts = (error: SysgError, exceeded: Exceeded): SysgError => {
  facts.set(error, exceeded)
  return error
}

/** The parent's, over it the caller's; what the supervisor told those about themselves is not meant for the child. */
const environmentFor = (parent: InstanceInfo, child: Child, { env, log_level: logLevel }: Asked) => ({
  ...baseEnvironment(parent.launch?.env ?? {}),
  ...baseEnvironment(env),
  [nameVariable]: child.name,
  ...(child.expiresAt === null ? {} : { [expiryVariable]: child.expiresAt }),
  ...(logLevel === undefined ? {} : { SYSG_LOG_LEVEL: logLevel }),
})
