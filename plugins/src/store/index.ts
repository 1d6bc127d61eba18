/**
 * Remembers what must outlive the supervisor: intents of people, ad-hoc services, instances, how one-shots ended, and the
 * history of events.
 *
 * Owns no key. Taps `boot` (gives back what was remembered), `journal` (one transaction per entry; what the disk refuses is tried again), `event` (the newest
 * 10 000 are kept) and `shutdown`. Registers the control methods `events.read`, `events.follow` and `store.forget`.
 * A record that is damaged is left out with a warning; it never stops the system.
 */
import {
  once,
  definePlugin,
  type BootState,
  type DurableTable,
  type Host,
  type JournalEntry,
  type SysgEvent,
} from '@systemg/core'
import * as z from 'zod/mini'
import { EventHistory } from './event-history.ts'
import { eventMethods } from './methods.ts'
import { RecordWriter, type Change } from './record-writer.ts'
import { asInstance, asIntent, asOutcome, asService, toDurable, type Check } from './records.ts'

export const store = definePlugin({
  name: 'store',
  setup(api) {
    const { host, hooks } = api
    const tables = {
      intents: host.store.table('intents'),
      instances: host.store.table('instances'),
      outcomes: host.store.table('outcomes'),
      adHoc: host.store.table('ad_hoc'),
      meta: host.store.table('meta'),
    }
    const history = new EventHistory(host.store, tables.meta)
    const writer = new RecordWriter(host)
    const listeners = new Set<(event: SysgEvent) => void>()

    hooks.boot.tap({ name: 'store', stage: -50 }, (state): BootState => ({
      ...state,
      lastSeq: Math.max(state.lastSeq, history.highest()),
      intents: { ...state.intents, ...Object.fromEntries(readTable(tables.intents, asIntent, host)) },
      instances: [...state.instances, ...readTable(tables.instances, asInstance, host).map(([, record]) => record)],
      outcomes: [...state.outcomes, ...readTable(tables.outcomes, asOutcome, host).map(([, record]) => record)],
      adHoc: [...state.adHoc, ...readTable(tables.adHoc, asService, host).map(([, record]) => record)],
      isEnding: tables.meta.get('ending') === true,
    }))
    hooks.journal.tap('store', (entry) => {
      // A power cut ends every instance: what is recorded of them, and that they are to end, need not survive it.
      const isPassing = entry.kind === 'outcome' ? entry.isPassing === true : isOfProcesses(entry)
      const survives = isPassing ? 'crash' : 'power-cut'
      writer.write(changesOf(tables, entry), survives)
    })
    hooks.event.tap({ name: 'store', stage: -50 }, (event) => {
      try {
        history.append(event)
      } finally {
        for (const listener of listeners) listener(event)
      }
    })
    hooks.shutdown.tap({ name: 'store', stage: 100 }, () => history.finish())
    api.onDispose(() => writer.close())

    const methods = eventMethods(history, (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    })
    for (const [name, method] of Object.entries(methods)) api.registerMethod(name, method)
    hooks.inspect.tap('store', (found, { service }) => ({
      ...found,
      events: history.read({ limit: recentEvents, matches: (event) => event.service === service.name }),
    }))
    api.registerMethod('store.forget', (params) => {
      const known = new Set(api.system.view().map(({ name }) => name))
      const names = forgetParams()
        .parse(params)
        .services.filter((name) => !known.has(name))
      writer.write(recordsOf(tables, names), 'power-cut')
      return { services: names }
    })
  },
})

/** Of one service, in `inspect`. */
const recentEvents = 20

declare module '@systemg/core' {
  interface Inspection {
    /** What happened last, the newest last. From the `store` plugin. */
    readonly events?: readonly SysgEvent[]
  }
}

const forgetParams = once(() => z.strictObject({ services: z.array(z.string().check(z.minLength(1))) }))

/** What is remembered of services that are gone, to be forgotten. Instances go with their last process. */
const recordsOf = (tables: Tables, services: readonly string[]): readonly Change[] => [
  ...services.map((service) => changeOf(tables, 'intents', service, undefined)),
  ...tables.outcomes
    .entries()
    .filter(([key]) => services.includes(key.slice(0, key.lastIndexOf('@'))))
    .map(([key]) => changeOf(tables, 'outcomes', key, undefined)),
]

const isOfProcesses = ({ kind }: JournalEntry): boolean => kind === 'instances' || kind === 'ending'

interface Tables {
  readonly intents: DurableTable
  readonly instances: DurableTable
  readonly outcomes: DurableTable
  readonly adHoc: DurableTable
  readonly meta: DurableTable
}

const changesOf = (tables: Tables, entry: JournalEntry): readonly Change[] => {
  switch (entry.kind) {
    case 'ad-hoc':
      return [changeOf(tables, 'adHoc', entry.service, entry.record)]
    case 'intent':
      return [changeOf(tables, 'intents', entry.service, entry.record)]
    case 'outcome':
      // `@` is in no service name.
      return [changeOf(tables, 'outcomes', `${entry.service}@${entry.replica}`, entry.record)]
    case 'ending':
      return [{ table: tables.meta, name: 'meta', key: 'ending', value: entry.isEnding ? true : undefined }]
    case 'instances':
      return [
        ...entry.changed.map((record) => changeOf(tables, 'instances', record.id, record)),
        ...entry.ended.map((id) => changeOf(tables, 'instances', id, undefined)),
      ]
  }
}

const changeOf = (
  tables: Tables,
  name: keyof Tables,
  key: string,
  record: Parameters<typeof toDurable>[0] | undefined,
): Change => ({ table: tables[name], name, key, value: record === undefined ? undefined : toDurable(record) })

/** The readable entries of a table. */
const readTable = <T>(
  table: DurableTable,
  check: Check<T>,
  host: Host,
): readonly (readonly [key: string, record: T])[] =>
  table.entries().flatMap(([key, value]) => {
    const record = check(value)
    if (record !== undefined) return [[key, record] as const]
    host.trace('warn', `What was stored about \`${key}\` is damaged and left out`)
    return []
  })
