/**
 * Runs hooks: those of one service one after the other, those of different services side by side. What waits and what runs
 * is on disk, so that the next supervisor goes on with it: what waits is run, what runs is waited for and not run again.
 */
import { whyOf, type DurableTable, type PluginApi } from '@systemg/core'
import { followHook, runHook, type HookFailure } from './command.ts'
import { asRun, toDurable, type HookRun } from './records.ts'

interface Entry {
  readonly key: string
  readonly run: HookRun
}

interface Lane {
  /** The first one runs. */
  readonly entries: Entry[]
  isBusy: boolean
}

export interface LanesEvents {
  failed(run: HookRun, failure: HookFailure): void
  /** So many wait already. */
  dropped(run: HookRun, waiting: number): void
}

/** Of one service. A service that crashes faster than its hooks run must not fill the memory. */
const mostWaiting = 100

export class Lanes {
  readonly #api: PluginApi
  readonly #events: LanesEvents
  readonly #table: DurableTable
  readonly #lanes = new Map<string, Lane>()
  readonly #now = new AbortController()
  /** Left out, and not told yet. */
  readonly #dropped: HookRun[] = []
  #next = 1
  #isOpen = false
  #idle = Promise.withResolvers<void>()

  constructor(api: PluginApi, table: DurableTable, events: LanesEvents) {
    this.#api = api
    this.#table = table
    this.#events = events
  }

  /** Take up what an earlier supervisor has left. */
  restore(): void {
    for (const [key, value] of this.#table.entries()) {
      this.#next = Math.max(this.#next, Number.parseInt(key, 10) + 1 || 1)
      const run = asRun(value)
      if (run === undefined) this.#quietly(() => this.#table.delete(key))
      else this.#laneOf(run).entries.push({ key, run })
    }
  }

  /** To be called within the transaction that remembers why it is due. `look` begins it. */
  add(run: HookRun): void {
    const lane = this.#laneOf(run)
    const dropped = lane.entries.length > mostWaiting ? lane.entries.splice(1, 1) : []
    for (const entry of dropped) {
      this.#table.delete(entry.key)
      this.#dropped.push(entry.run)
    }
    const key = String(this.#next).padStart(12, '0')
    this.#next += 1
    lane.entries.push({ key, run })
    this.#table.set(key, toDurable(run))
  }

  /** Begin with what waits. */
  open(): void {
    this.#isOpen = true
    this.look()
  }

  /** Begin with what waits and may run. */
  look(): void {
    for (const run of this.#dropped.splice(0)) this.#events.dropped(run, mostWaiting)
    if (!this.#isOpen) return
    for (const lane of this.#lanes.values()) if (!lane.isBusy) void this.#work(lane)
  }

  /** Resolves when nothing waits and nothing runs. */
  async drained(): Promise<void> {
    while (this.#lanes.size > 0) {
      this.#idle = Promise.withResolvers()
      await this.#idle.promise
    }
  }

  /** End everything that runs; nothing is begun any more. */
  kill(reason: unknown): void {
    this.#now.abort(reason)
    this.open()
  }

  async #work(lane: Lane): Promise<void> {
    lane.isBusy = true
    for (let [entry] = lane.entries; entry !== undefined; [entry] = lane.entries) {
      await this.#run(entry)
      lane.entries.shift()
      const { key } = entry
      this.#quietly(() => this.#table.delete(key))
    }
    for (const [service, other] of this.#lanes) if (other === lane) this.#lanes.delete(service)
    this.#idle.resolve()
  }

  async #run({ key, run }: Entry): Promise<void> {
    const { host } = this.#api
    const { signal } = this.#now
    if (run.begun !== undefined) {
      this.#tell(run, await followHook(this.#api, run, signal))
      return
    }
    if (signal.aborted) return
    const onStarted = (tree: NonNullable<HookRun['begun']>['tree']) => {
      const begun = { tree, at: host.clock.now() }
      this.#quietly(() => this.#table.set(key, toDurable({ ...run, begun })))
    }
    this.#tell(run, await runHook(this.#api, run, { signal, onStarted }))
  }

  #tell(run: HookRun, failure: HookFailure | undefined): void {
    if (failure !== undefined) this.#events.failed(run, failure)
  }

  #laneOf({ service: { name } }: HookRun): Lane {
    const lane = this.#lanes.get(name) ?? { entries: [], isBusy: false }
    this.#lanes.set(name, lane)
    return lane
  }

  /** A store that cannot write costs a hook its place after the supervisor's death, and nothing else. */
  #quietly(write: () => void): void {
    const { host } = this.#api
    try {
      host.store.transaction(write, { survives: 'crash' })
    } catch (thrown) {
      host.trace('warn', `A hook is not recorded: ${whyOf(thrown)}`)
    }
  }
}
