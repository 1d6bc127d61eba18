/** What an earlier supervisor of a project recorded about its services, read without one. Changes nothing. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  HostError,
  SysgError,
  type Durable,
  type InstanceRecord,
  type OutcomeRecord,
  type Store,
  type TreeRef,
} from '@systemg/core'
import { openStore } from '../host/store.ts'
import type { ProjectPaths } from '../project/state-root.ts'

export interface RecordedService {
  readonly name: string
  /** What is recorded: an instance that ran last, how a run ended, what somebody asked for by name, that it is in no config. */
  readonly kinds: readonly ('instance' | 'outcome' | 'intent' | 'ad-hoc')[]
  readonly instances: readonly RecordedInstance[]
  /** How its replicas came to rest. */
  readonly outcomes: readonly OutcomeRecord[]
  /** A person wants it down. */
  readonly isStopped: boolean
  readonly dependsOn: readonly string[]
}

/** An instance that had a process. */
export type RecordedInstance = Pick<
  InstanceRecord,
  'id' | 'service' | 'replica' | 'role' | 'startedAt' | 'restarts' | 'marks' | 'token' | 'transient'
> & {
  readonly tree: TreeRef
}

/**
 * Every service that something is recorded of, sorted by name; `undefined` when the project never ran.
 *
 * @throws {SysgError} `SYSG_STATE_NEWER`, `SYSG_STATE_UNREADABLE`.
 */
export const recordedServices = ({ folder }: ProjectPaths): readonly RecordedService[] | undefined => {
  if (!existsSync(join(folder, 'state.db'))) return undefined
  return withStore(folder, (store) => {
    const found = new Map<string, Found>()
    const of = (name: string) => {
      const known = found.get(name) ?? { kinds: new Set(), instances: [], outcomes: [], isStopped: false }
      found.set(name, known)
      return known
    }
    for (const [name, value] of store.table('intents').entries()) {
      of(name).kinds.add('intent')
      of(name).isStopped = field(value, 'intent') === 'stopped'
    }
    for (const [name] of store.table('ad_hoc').entries()) of(name).kinds.add('ad-hoc')
    for (const [, value] of store.table('outcomes').entries()) {
      const name = field(value, 'service')
      if (typeof name !== 'string') continue
      of(name).kinds.add('outcome')
      if (isOutcome(value)) of(name).outcomes.push(value as unknown as OutcomeRecord)
    }
    for (const [, value] of store.table('instances').entries()) {
      const instance = asInstance(value)
      if (instance === undefined) continue
      of(instance.service.name).kinds.add('instance')
      of(instance.service.name).instances.push(instance)
    }
    return [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { kinds, ...rest }]) => ({ ...rest, name, kinds: [...kinds], dependsOn: dependenciesOf(rest) }))
  })
}

/** Tokens of all instances that are recorded, also of those that have no process yet. */
export const recordedTokens = ({ folder }: ProjectPaths): ReadonlySet<string> => {
  if (!existsSync(join(folder, 'state.db'))) return new Set()
  const values = withStore(folder, (store) => store.table('instances').entries())
  return new Set(values.map(([, value]) => field(value, 'token')).filter((token) => typeof token === 'string'))
}

/** @throws {SysgError} `SYSG_STATE_NEWER`, `SYSG_STATE_UNREADABLE`. */
export const withStore = <T>(folder: string, read: (store: Store) => T): T => {
  let store: Store | undefined
  try {
    store = openStore(folder, { readOnly: true })
    return read(store)
  } catch (thrown) {
    if (!(thrown instanceof HostError)) throw thrown
    throw SysgError.of(
      'SYSG_STATE_UNREADABLE',
      {
        message: `What is recorded in ${folder} can't be read: ${thrown.message} (${thrown.errno}).`,
        hint: 'Check who owns the folder; a project of root needs `--sys` and root.',
      },
      { cause: thrown },
    )
  } finally {
    store?.close()
  }
}

interface Found {
  readonly kinds: Set<RecordedService['kinds'][number]>
  readonly instances: RecordedInstance[]
  readonly outcomes: OutcomeRecord[]
  isStopped: boolean
}

const dependenciesOf = ({ instances, outcomes }: Pick<Found, 'instances' | 'outcomes'>): readonly string[] => {
  const service: Partial<InstanceRecord['service']> | undefined = instances.at(-1)?.service ?? outcomes.at(-1)?.config
  return Object.keys(service?.depends_on ?? {})
}

const isOutcome = (value: Durable): boolean =>
  ['completed', 'failed'].includes(String(field(value, 'outcome'))) &&
  typeof field(value, 'at') === 'number' &&
  Array.isArray(field(value, 'lastLines'))

/** A record that is damaged is none. */
const asInstance = (value: Durable): RecordedInstance | undefined => {
  const tree = field(value, 'tree')
  const isTree = ['pid', 'startTime'].every((name) => typeof field(tree, name) === 'number')
  const isOfService = typeof field(field(value, 'service'), 'name') === 'string'
  return isTree && isOfService ? (value as unknown as RecordedInstance) : undefined
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined
