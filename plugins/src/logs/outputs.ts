/** The lanes of all replicas: which instance writes where, also over the supervisor's death. */
import { HostError, type Descriptor, type DurableTable, type InstanceInfo, type InstanceRecord } from '@systemg/core'
import { Channel } from './channel.ts'
import { Lane, type Holder, type LaneWorld } from './lane.ts'
import type { LogSource } from './layout.ts'
import type { StreamLimits } from './stream-log.ts'

/** Files without a pipe that are kept open; others are opened again. */
const mostExtra = 64

interface ExtraFile {
  readonly opening: Promise<Channel>
  /** Set once it is open. */
  channel: Channel | undefined
}

export class Outputs {
  readonly #world: LaneWorld
  /** Lanes other than the first, by instance: an adopted instance goes on in its own. */
  readonly #table: DurableTable
  readonly #lanes = new Map<string, Lane[]>()
  /** Files without a pipe: what plugins write for a service. */
  readonly #extra = new Map<string, ExtraFile>()

  constructor(world: LaneWorld, table: DurableTable) {
    this.#world = world
    this.#table = table
  }

  /** Give an instance that is about to start its pipes. */
  async claim(instance: InstanceInfo, limits: StreamLimits): Promise<{ stdout: Descriptor; stderr: Descriptor }> {
    const lanes = this.#lanesOf(instance.service.name, instance.replica)
    const lane = lanes.find(({ isHeld }) => !isHeld) ?? this.#add(instance.service.name, instance.replica, lanes.length)
    this.#hold(lane, { id: instance.id, instance, sinceMs: this.#world.clock.now(), hasEnded: false })
    return lane.begin(instance.id, limits)
  }

  /** Go on reading what an instance of an earlier supervisor writes, or wrote last. */
  async adopt(record: InstanceRecord, limits: StreamLimits): Promise<void> {
    const number = this.#table.get(record.id)
    const lane = this.#lane(record.service.name, record.replica, typeof number === 'number' ? number : 0)
    this.#hold(lane, { id: record.id, sinceMs: record.startedAt ?? 0, hasEnded: false })
    await lane.open(limits, record.id)
  }

  /** Remember lanes of these instances alone. */
  keepOnly(instances: readonly string[]): void {
    for (const [id] of this.#table.entries()) if (!instances.includes(id)) this.#forget(id)
  }

  /** The lane an instance writes to. */
  of(instance: string): Lane | undefined {
    return [...this.#lanes.values()].flat().find(({ holder }) => holder?.id === instance)
  }

  /** An instance has ended. */
  release(instance: string): void {
    const lane = this.of(instance)
    if (lane?.holder === undefined) return
    lane.holder.hasEnded = true
    this.#forget(instance)
  }

  /** Close what belongs to no replica any more. */
  async closeUnused(isUsed: (service: string, replica: number) => boolean): Promise<void> {
    for (const [key, lanes] of this.#lanes) {
      const [first] = lanes
      if (first === undefined || isUsed(first.service, first.replica) || lanes.some(({ isHeld }) => isHeld)) continue
      this.#lanes.delete(key)
      for (const lane of lanes) await lane.close()
    }
  }

  /** Nothing writes any more. */
  async close(): Promise<void> {
    const lanes = [...this.#lanes.values()].flat()
    this.#lanes.clear()
    await Promise.all(lanes.map((lane) => lane.close()))
    for (const base of this.#extra.keys()) await this.closeExtra(base)
    const { files, options } = this.#world
    for (const name of await files.list(options.pipes)) files.remove(`${options.pipes}/${name}`)
  }

  /** Every stream that is open. */
  get channels(): readonly Channel[] {
    const ofLanes = [...this.#lanes.values()].flat().flatMap(({ channels }) => channels)
    return [...ofLanes, ...[...this.#extra.values()].flatMap(({ channel }) => channel ?? [])]
  }

  /**
   * Write to a file of its own beside those of a service. What is appended first is written first.
   *
   * @param isEnd - Nothing more comes of this: the next bytes begin a line, also when these end without a newline.
   */
  async append(source: LogSource, writer: string, bytes: Uint8Array, limits: StreamLimits, isEnd: boolean) {
    const file = this.#extraFile(source, limits)
    const [oldest] = this.#extra.keys()
    // Not waited for: what is appended next must not overtake this.
    if (this.#extra.size > mostExtra && oldest !== undefined) void this.closeExtra(oldest)
    const channel = await file.opening
    if (channel.instance !== writer) channel.begin(writer)
    if (bytes.length > 0) channel.receive(bytes)
    if (isEnd) channel.begin(writer)
  }

  /** Close a file that `append` opened, if it is open. */
  async closeExtra(base: string): Promise<void> {
    const file = this.#extra.get(base)
    this.#extra.delete(base)
    const channel = await file?.opening.catch(() => undefined)
    channel?.finishLine()
    channel?.log.close()
  }

  /** Those used last are at the end. */
  #extraFile(source: LogSource, limits: StreamLimits): ExtraFile {
    const known = this.#extra.get(source.base)
    this.#extra.delete(source.base)
    const file: ExtraFile = known ?? { opening: Channel.open(this.#world, source, limits), channel: undefined }
    this.#extra.set(source.base, file)
    if (known === undefined) {
      file.opening.then(
        (channel) => (file.channel = channel),
        () => this.#extra.delete(source.base),
      )
    }
    return file
  }

  #hold(lane: Lane, holder: Holder): void {
    if (lane.holder !== undefined) this.#forget(lane.holder.id)
    lane.holder = holder
    if (lane.number > 0 && this.#table.get(holder.id) !== lane.number) {
      this.#quietly(() => this.#table.set(holder.id, lane.number))
    }
  }

  #forget(instance: string): void {
    if (this.#table.get(instance) !== undefined) this.#quietly(() => this.#table.delete(instance))
  }

  /** A store that cannot write costs an adopted candidate its lane, but no service its start. */
  #quietly(write: () => void): void {
    try {
      write()
    } catch (thrown) {
      if (!(thrown instanceof HostError)) throw thrown
    }
  }

  #lanesOf(service: string, replica: number): Lane[] {
    return this.#lanes.get(`${service}@${replica}`) ?? []
  }

  #lane(service: string, replica: number, number: number): Lane {
    for (let missing = this.#lanesOf(service, replica).length; missing <= number; missing++) {
      this.#add(service, replica, missing)
    }
    return this.#lanesOf(service, replica)[number] ?? this.#add(service, replica, number)
  }

  #add(service: string, replica: number, number: number): Lane {
    const lane = new Lane(this.#world, service, replica, number)
    this.#lanes.set(`${service}@${replica}`, [...this.#lanesOf(service, replica), lane])
    return lane
  }
}
