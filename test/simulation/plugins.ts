/** Small plugins that stand in for later ones: they show that the core carries them without being changed. */
import {
  definePlugin,
  type BootState,
  type InstanceRecord,
  type IntentRecord,
  type OutcomeRecord,
  type Plugin,
  type ResolvedService,
  type RetryDecision,
} from '@systemg/core'
import { z } from 'zod'

/** Starts again after `delayMs`, at most `max` times in a row. */
export const retries = (delayMs: number, max = Infinity): Plugin =>
  definePlugin({
    name: 'retries',
    setup: ({ hooks }) =>
      hooks.retry.tap('retries', (run): RetryDecision =>
        run.restarts >= max ? { giveUp: `${max} restarts` } : { delayMs },
      ),
  })

/** Starts services again whose name is listed, after `delayMs`. */
export const retriesOnly = (delayMs: number, ...names: readonly string[]): Plugin =>
  definePlugin({
    name: 'retries',
    setup: ({ hooks }) =>
      hooks.retry.tap('retries', (run) => (names.includes(run.service.name) ? { delayMs } : undefined)),
  })

/** Replaces beside the old instance: candidate, ready, switch, a second of grace, old one out. */
export const rolling = (options: { graceMs?: number; preStartMs?: number } = {}): Plugin =>
  definePlugin({
    name: 'rolling',
    setup: ({ hooks }) =>
      hooks.replace.tap('rolling', () => ({
        name: 'rolling',
        run: async (replacement) => {
          await replacement.step('pre_start', () => replacement.pause(options.preStartMs ?? 0))
          await replacement.step('candidate', () => replacement.launch())
          await replacement.step('ready', () => replacement.ready())
          await replacement.step('switch', async () => replacement.promote())
          await replacement.step('grace', () => replacement.pause(options.graceMs ?? 1_000))
          await replacement.step('retire', () => replacement.retire())
        },
      })),
  })

/** A probe whose answers the test gives: an instance is ready once its id, or its service, is in `healthy`. */
export const probed = (healthy: Set<string>): Plugin =>
  definePlugin({
    name: 'probed',
    probes: { test: z.strictObject({}) },
    setup: (api) => {
      const { hooks, host } = api
      api.registerProbe('test', async ({ instance }) => {
        if (!healthy.has(instance.id) && !healthy.has(instance.service.name)) throw new Error('not healthy yet')
      })
      hooks.ready.tap('probed', (gates) => [
        ...gates,
        {
          name: 'probe',
          open: ({ instance, signal }) =>
            new Promise((resolve, reject) => {
              let cancel = () => undefined as void
              const look = () => {
                if (healthy.has(instance.id) || healthy.has(instance.service.name)) resolve()
                else cancel = host.clock.timer(100, look)
              }
              signal.addEventListener('abort', () => {
                cancel()
                reject(signal.reason as Error)
              })
              look()
            }),
        },
      ])
    },
  })

/** Holds one listening socket per service and hands it to every instance. */
export const sockets = (addresses: Readonly<Record<string, string>>): Plugin =>
  definePlugin({
    name: 'sockets',
    setup: (api) => {
      const { hooks, host } = api
      const held = new Map<string, ReturnType<typeof host.sockets.listen>>()
      api.onDispose(async () => {
        for (const socket of held.values()) (await socket).close()
      })
      hooks.prepare.tapPromise('sockets', async (spec, { service }) => {
        const address = addresses[service.name]
        if (address === undefined) return spec
        const socket = held.get(service.name) ?? host.sockets.listen(address, {})
        held.set(service.name, socket)
        return { ...spec, inherit: [...spec.inherit, await socket], env: { ...spec.env, LISTEN_FDS: '1' } }
      })
    },
  })

/** Keeps intents and instances in the host's store. */
export const remembers = (): Plugin =>
  definePlugin({
    name: 'remembers',
    setup: ({ hooks, host }) => {
      const intents = host.store.table('intents')
      const instances = host.store.table('instances')
      const outcomes = host.store.table('outcomes')
      const adHoc = host.store.table('ad_hoc')
      const meta = host.store.table('meta')
      const plain = (value: unknown) => JSON.parse(JSON.stringify(value)) as Record<string, never>
      hooks.journal.tap('remembers', (entry) => {
        const outcomeKey = entry.kind === 'outcome' ? `${entry.service}/${entry.replica}` : ''
        if (entry.kind === 'ending') meta.set('ending', entry.isEnding)
        else if (entry.kind === 'outcome' && entry.record === undefined) outcomes.delete(outcomeKey)
        else if (entry.kind === 'outcome') outcomes.set(outcomeKey, plain(entry.record))
        else if (entry.kind === 'intent' || entry.kind === 'ad-hoc') {
          const table = entry.kind === 'intent' ? intents : adHoc
          if (entry.record === undefined) table.delete(entry.service)
          else table.set(entry.service, plain(entry.record))
        } else {
          host.store.transaction(() => {
            for (const record of entry.changed) instances.set(record.id, plain(record))
            for (const id of entry.ended) instances.delete(id)
          })
        }
      })
      hooks.event.tap('remembers', ({ seq }) => meta.set('lastSeq', seq))
      hooks.boot.tap('remembers', (): BootState => {
        return {
          lastSeq: Number(meta.get('lastSeq') ?? 0),
          intents: Object.fromEntries(
            intents.entries().map(([name, value]) => [name, value as unknown as IntentRecord]),
          ),
          outcomes: outcomes.entries().map(([, value]) => value as unknown as OutcomeRecord),
          instances: instances.entries().map(([, value]) => value as unknown as InstanceRecord),
          adHoc: adHoc.entries().map(([, value]) => value as unknown as ResolvedService),
          isEnding: meta.get('ending') === true,
        }
      })
    },
  })
