/**
 * One project's supervisor, in this process: the lock, the host, the system with its plugins, and the signals that end
 * it. `sysg start` runs it in the foreground, or in a process of its own (`daemon.ts`).
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  once,
  System,
  whyOf,
  type Outcome,
  type PluginUse,
  type ResolvedSystem,
  type SysgEvent,
  type Trace,
} from '@systemg/core'
import { StreamLog, supervisorSource } from '@systemg/plugins/logs'
import type { LogLevel } from '../command.ts'
import { isCoded } from '../failures.ts'
import { firstPartyPlugins } from '../first-party.ts'
import {
  acquireLock,
  createNodeHost,
  endOtherHolders,
  holderRecordName,
  passedSockets,
  removeOther,
  takeInheritance,
  type Lock,
  type NodeHost,
  type Trial,
} from '../host/index.ts'
import { requireNoStrays } from '../purge/stray-processes.ts'
import { writeLink } from '../project/locate.ts'
import { projectPaths, type ProjectPaths } from '../project/state-root.ts'
import { version } from '../version.ts'
import { recordCode } from './code-record.ts'
import { Comeback, forgetComeback, holderSettings } from './comeback.ts'
import { supervisorCommand, type DaemonRequest } from './daemon.ts'
import { watchExitCondition, type Verdict } from './exit-when.ts'
import { rehearse } from './rehearse.ts'
import { makeStateFolder, stateFailure } from './state-folder.ts'
import { createTrace } from './trace.ts'
import { upgradePlugin } from './upgrade.ts'
import { forgetVersionBefore, recordVersionBefore, versionBefore } from './version-before.ts'

export interface SupervisorOptions {
  /** What the command that starts it says; with that it could be started again. */
  readonly request: Omit<DaemonRequest, 'comeback'>
  readonly config: ResolvedSystem
  /** Files of the config and its plugins that are code. */
  readonly code: readonly string[]
  /** First-party and others, in the order of their setup. */
  readonly plugins: readonly PluginUse[]
  /** Shows a line of the supervisor's own log, which is also in its file; undefined: it is not shown. */
  readonly show: ((line: string) => void) | undefined
  /** Least urgent line that is shown there. Default: that of the request. */
  readonly logLevel?: LogLevel
  /** Come back by itself when it is killed. */
  readonly respawn: boolean
  /** It takes the place of one that was killed. */
  readonly isComeback: boolean
}

export interface RunningSupervisor {
  readonly system: System
  /** Every event, as it happens. Returns how to stop listening. */
  onEvent(listener: (event: SysgEvent) => void): () => void
  /** Stop everything; the second time, or with `now`, kill. */
  stop(why: string, now?: boolean): Promise<Outcome>
  /** Resolves when nothing is left, with what `exit_when` decided. */
  readonly ended: Promise<Verdict | undefined>
}

/** @returns `undefined` when another supervisor has the project. @throws {SysgError} when the system can't come up. */
export const supervise = async (options: SupervisorOptions): Promise<RunningSupervisor | undefined> => {
  const { config, request } = options
  const { root, config: configFile } = request
  const paths = projectPaths(root, config.project.id)
  makeStateFolder(paths.folder)
  const lock = lockOf(paths.folder)
  if (lock === undefined) return undefined
  const { trace, into } = createTrace(options.logLevel ?? request.logLevel, options.show)
  let host: NodeHost | undefined
  const openLog = once(async () => {
    if (host === undefined) return
    into(await StreamLog.open(host.files, supervisorSource(paths.logs).base, ownLogLimits))
    // It also opens the file, which must be open when no descriptor is left for what has to be said.
    trace('info', `systemg ${version} supervises ${config.project.id}`, { pid: process.pid })
  })
  try {
    removeOther(paths.socket)
    const passed = passedSockets(process.env, process.pid)
    const inheritance = takeInheritance(process.env)
    const isLeft = inheritance !== undefined || hasHolder(paths)
    const command = supervisorCommand()
    const before = versionBefore(paths, command, { isComeback: inheritance !== undefined, trace })
    const holder = holderSettings(paths, { command, before, respawn: options.respawn, inheritance })
    const comeback = new Comeback(paths, request, trace)
    // Who comes back has read what is written there.
    if (!options.isComeback) comeback.write(config)
    try {
      host = createNodeHost({ folder: paths.folder, env: request.env, trace, passed, holder, inheritance })
      // A look at every process takes time, and who comes back has recorded what it started, unless that was lost.
      if (!options.isComeback || host.store.table('instances').entries().length === 0) requireNoStrays(paths)
      if (!options.isComeback) await openLog()
    } catch (thrown) {
      throw stateFailure(paths.folder, thrown)
    }
    const plugins = withOptions(options.plugins, {
      control: { socket: paths.socket, pid: process.pid, version, config: configFile ?? null },
      health: { pipes: join(paths.folder, 'run', 'notify') },
      watch: { own: [root] },
      logs: { folder: paths.logs, pipes: join(paths.folder, 'run', 'output') },
    })
    const listeners = new Set<(event: SysgEvent) => void>()
    const own = host
    const upgrade = upgradePlugin({
      hasCode: request.hasCode,
      isForeground: options.show !== undefined,
      takePluginsOf: (file) => comeback.takePluginsOf(file, () => withoutAdHoc(system.config, system)),
      rehearse: (command, signal) => rehearse(paths, command, signal),
      handOver: (next) => {
        recordVersionBefore(paths, { command, by: next.command }, trace)
        void handOver(own, lock, next, trace)
      },
    })
    const system: System = new System({ config, host, plugins: [...plugins, upgrade], version })
    system.hooks.event.tap('supervisor', (event) => {
      for (const listener of listeners) listener(event)
    })
    system.hooks.reload.tap({ name: 'supervisor', stage: 100 }, ({ after }) =>
      comeback.follow(withoutAdHoc(after, system)),
    )
    // Schemas are loaded by who reads them.
    system.hooks.inspect.tapPromise('supervisor', async (found) => {
      const { writtenOf } = await import('../inspect/written-config.ts')
      return { ...found, written: await writtenOf(found.config, plugins) }
    })
    // Last of all that comes before instances are taken up, which takes its time: `status` waits for that, `ping` does not.
    system.hooks.boot.tapPromise({ name: 'supervisor', stage: 1000 }, async (state) => {
      await hearWhoAsks()
      return state
    })
    const verdict = watchExitCondition(config.exit_when, system, listeners)
    const booting = system.boot()
    // Before anybody asks whether all is settled, as one who is connected already may: nothing would be wanted yet.
    const names = request.services === undefined ? {} : { names: request.services }
    const starting = options.isComeback ? system.resume(names) : system.start({ ...names, appliesChanges: true })
    starting.catch(() => undefined)
    await booting
    starting.catch((thrown: unknown) => trace('error', `The start failed: ${whyOf(thrown)}`, { thrown }))
    // Who waits for an answer gets it first: another holder takes a fork of this process.
    if (isLeft) await hearWhoAsks()
    let isAlone = !isLeft
    await host.takenUp(async () => {
      if (isLeft) await endOtherHolders(paths.folder)
      isAlone = true
    })
    // What was said meanwhile is written there, too. Not before: until then no pipe is held that is made.
    if (options.isComeback) await openLog()
    if (configFile !== undefined) writeLink(root, configFile, config.project.id)
    recordCode(paths, options.code)
    return {
      system,
      onEvent: (listener) => {
        listeners.add(listener)
        return () => void listeners.delete(listener)
      },
      stop: stopper(system),
      ended: system.ended
        .then(() => (isAlone ? undefined : endOtherHolders(paths.folder)))
        .then(() => release(paths, host, lock))
        .then(() => verdict()),
    }
  } catch (thrown) {
    await openLog().catch(() => undefined)
    // In a terminal the command itself says what people can do something about.
    if (options.show === undefined || !isCoded(thrown))
      trace('error', `The system could not come up: ${whyOf(thrown)}`, { thrown })
    // What the one before held open is not given up: the holder tries again.
    if (!options.isComeback) await release(paths, host, lock)
    else {
      await host?.leave()
      lock.release()
    }
    throw thrown
  }
}

/** One turn of the event loop takes the connections of those who wait, another what they ask. */
const hearWhoAsks = async (): Promise<void> => {
  await nextTurn()
  await nextTurn()
}

/** The next supervisor begins when this process has ended, and finds the project free. */
const handOver = async (host: NodeHost, lock: Lock, next: Trial, trace: Trace): Promise<void> => {
  try {
    trace('info', 'handing over to another supervisor')
    await host.handOver(next)
    lock.release()
    process.exit(0)
  } catch (thrown) {
    trace('error', `It could not be handed over: ${whyOf(thrown)}`, { thrown })
  }
}

/** What no config says is remembered by itself. */
const withoutAdHoc = (config: ResolvedSystem, system: System): ResolvedSystem => {
  const names = Object.keys(config.services)
  const adHoc = new Set(system.view(names).flatMap(({ name, ad_hoc: isAdHoc }) => (isAdHoc === true ? [name] : [])))
  return {
    ...config,
    services: Object.fromEntries(Object.entries(config.services).filter(([name]) => !adHoc.has(name))),
  }
}

/** A supervisor has died and left its holder. */
const hasHolder = (paths: ProjectPaths): boolean => existsSync(join(paths.folder, 'run', holderRecordName))

const lockOf = (folder: string): Lock | undefined => {
  try {
    return acquireLock(folder)
  } catch (thrown) {
    throw stateFailure(folder, thrown)
  }
}

/** Of the supervisor's own log. */
const ownLogLimits = { maxBytes: 10 * 1024 * 1024, maxFiles: 5 }

/** Options that only the supervisor knows, for the first-party plugins among `uses`. */
const withOptions = (
  uses: readonly PluginUse[],
  options: NonNullable<Parameters<typeof firstPartyPlugins>[0]>,
): readonly PluginUse[] => {
  const known = new Map(firstPartyPlugins(options).map((use) => [use.plugin, use]))
  return uses.map((use) => known.get(use.plugin) ?? use)
}

const stopper = (system: System) => {
  let times = 0
  return (why: string, now = false): Promise<Outcome> => {
    times += 1
    return system.shutdown({ why, now: now || times > 1 })
  }
}

const release = async (paths: ProjectPaths, host: NodeHost | undefined, lock: Lock): Promise<void> => {
  await host?.dispose()
  forgetComeback(paths)
  forgetVersionBefore(paths)
  lock.release()
}
