/**
 * Keeps what services write: in files that hold their bytes and nothing else, with time and instance beside them.
 *
 * Owns the key `logs` of the system and of a service (`sink`, `max_bytes`, `max_files`). Taps `boot` (goes on reading
 * instances that live), `prepare` (hands out pipes), `exited` (reads what is left, gives the last lines), `stopped`,
 * `reload` and `shutdown`. Registers the control methods `logs.read`, `logs.follow`, `logs.clear`, `logs.forget`, `logs.dropped` and
 * `logs.append`. Feeds the sinks of other plugins. The names of Docker's json-file options, `max-size` and `max-file`, mean the same.
 */
import {
  definePlugin,
  whyOf,
  type InstanceInfo,
  type InstanceRecord,
  type PluginApi,
  type ResolvedService,
} from '@systemg/core'
import type { z } from 'zod'
import type { Trouble } from './channel.ts'
import { Followers } from './followers.ts'
import type { Lane } from './lane.ts'
import { displayTextOf } from './lines.ts'
import { logMethods } from './methods.ts'
import { logsDefaults, type LogsOptions } from './defaults.ts'
import type { serviceLogs, systemLogs } from './options.ts'
import { Outputs } from './outputs.ts'
import { readLast } from './reader.ts'
import { Sinks } from './sinks.ts'
import type { StreamLimits } from './stream-log.ts'

export { cursorOf, positionOf } from './cursors.ts'
export { isAskedFor, listSources, supervisorSource, type LogSource } from './layout.ts'
export { displayTextOf, hasOverlong, linesOf, recordOf, type LogLine, type LogRecord, type LogRun } from './lines.ts'
export { lastLineEnd, readLast, readRuns, type LogQuery } from './reader.ts'
export { StreamLog, type Position, type StreamLimits } from './stream-log.ts'

/** Shown when a run ends. */
const lastLines = { lines: 10, bytes: 16 * 1024 }

export const logs = definePlugin<Partial<LogsOptions> | undefined>({
  name: 'logs',
  schemas: () => import('./options.ts'),
  inherited: ['logs'],
  setup(api) {
    const { host, hooks, system } = api
    const options = { ...logsDefaults, ...api.options }
    const settingsOf = (service: ResolvedService) => settings(system.config.logs, service.logs)
    const followers = new Followers()
    const world = {
      ...{ host, files: host.files, clock: host.clock, options, followers, onTrouble: reportTrouble(api) },
      sinks: new Sinks(api.registries.sinks, host.trace),
    }
    const outputs = new Outputs(world, host.store.table('logs'))
    const isUsed = (name: string, replica: number) => replica < (system.config.services[name]?.replicas ?? 0)
    const closeUnused = () => outputs.closeUnused(isUsed)
    const adopt = async (record: InstanceRecord) => {
      const set = settingsOf(record.service)
      if (set.sink === 'file') await outputs.adopt(record, set)
    }
    const quietly = (work: Promise<unknown>) =>
      work.catch((thrown: unknown) => host.trace('warn', `The output of services: ${whyOf(thrown)}`))

    hooks.boot.tapPromise({ name: 'logs', stage: 100 }, async (state) => {
      outputs.keepOnly(state.instances.map(({ id }) => id))
      for (const record of state.instances) await quietly(adopt(record))
      return state
    })
    hooks.prepare.tapPromise('logs', async (spec, { service, instance }) => {
      const set = settingsOf(service)
      if (set.sink === 'none') return { ...spec, stdout: 'null', stderr: 'null' }
      if (set.sink === 'inherit') return { ...spec, stdout: 'inherit', stderr: 'inherit' }
      return { ...spec, ...(await outputs.claim(instance, set)) }
    })
    hooks.exited.tapPromise('logs', async (lines, { instance }) => {
      const lane = outputs.of(instance.id)
      if (lane === undefined) return lines
      await lane.drain()
      return [...lines, ...(await lastLinesOf(lane, instance, host))]
    })
    hooks.stopped.tap('logs', (instance) => {
      outputs.release(instance.id)
      // Nothing else runs under the name of a transient.
      const isOver = (name: string) => instance.transient !== undefined && name === instance.service.name
      void quietly(outputs.closeUnused((name, replica) => !isOver(name) && isUsed(name, replica)))
    })
    hooks.reload.tapPromise('logs', closeUnused)
    hooks.shutdown.tapPromise('logs', () => outputs.close())
    api.onDispose(() => outputs.close())

    const methods = logMethods({
      ...{ host, options, outputs, followers },
      config: () => system.config,
      settingsOf: (name) => settings(system.config.logs, system.config.services[name]?.logs ?? {}),
    })
    for (const [name, method] of Object.entries(methods)) api.registerMethod(name, method)
  },
})

declare module '@systemg/core' {
  interface SystemConfig {
    /** Where the output of services goes, and how much of it is kept. From the `logs` plugin. */
    logs?: z.input<typeof systemLogs>
  }
  interface ServiceConfig {
    /** Where the output goes, and how much of it is kept. Default: `logs` of the system. From the `logs` plugin. */
    logs?: z.input<typeof serviceLogs>
  }
  interface ResolvedSystem {
    readonly logs: z.output<typeof systemLogs>
  }
  interface ResolvedService {
    readonly logs: z.output<typeof serviceLogs>
  }
  interface EventData {
    /** The disk takes no output of a service; it is dropped and counted, and the service goes on. */
    'logs.dropping': { stream: string; reason: string }
    /** Output is written again. */
    'logs.dropped': { stream: string; lines: number; bytes: number }
  }
}

const settings = (
  system: z.output<typeof systemLogs>,
  service: z.output<typeof serviceLogs>,
): StreamLimits & { readonly sink: z.output<typeof systemLogs>['sink'] } => ({
  sink: service.sink ?? system.sink,
  maxBytes: service.max_bytes ?? system.max_bytes,
  maxFiles: service.max_files ?? system.max_files,
})

/** Only what this run wrote: an older run's last words would mislead. */
const lastLinesOf = async (
  { channels, holder }: Lane,
  instance: InstanceInfo,
  host: PluginApi['host'],
): Promise<readonly string[]> => {
  const lines = await readLast(
    host.files,
    channels.map(({ source }) => source),
    lastLines,
    { instance: instance.id, sinceMs: holder?.sinceMs },
  )
  return lines.map(({ bytes }) => displayTextOf(bytes))
}

const reportTrouble =
  ({ host, system }: PluginApi) =>
  ({ source: { service, stream }, reason, lines, bytes }: Trouble): void => {
    if (reason === undefined) {
      host.trace('warn', `Output of ${service} is written again; ${lines} lines were lost`, { stream, bytes })
      system.emit('logs.dropped', { service }, { stream, lines, bytes })
    } else {
      host.trace('error', `Output of ${service} cannot be written: ${reason}`, { stream })
      system.emit('logs.dropping', { service }, { stream, reason })
    }
  }
