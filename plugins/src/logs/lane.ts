/**
 * The two pipes of a replica and what they lead to.
 *
 * A lane belongs to a replica, not to an instance: the next instance writes to the same pipes, so the descriptors that
 * must outlive the supervisor are always the same. An instance that runs beside another one takes a lane of its own.
 */
import type { Descriptor, Host, InstanceInfo, OutputPipe } from '@systemg/core'
import { Channel, type ChannelWorld } from './channel.ts'
import { laneName, type StreamName } from './layout.ts'
import type { LogsOptions } from './defaults.ts'
import type { StreamLimits } from './stream-log.ts'

export interface LaneWorld extends ChannelWorld {
  readonly host: Pick<Host, 'output'>
  readonly options: LogsOptions
}

/** Who writes to a lane. */
export interface Holder {
  readonly id: string
  /** Wall clock, ms, since when. */
  readonly sinceMs: number
  /** Missing for an instance of an earlier supervisor. */
  readonly instance?: InstanceInfo
  hasEnded: boolean
}

export class Lane {
  readonly service: string
  readonly replica: number
  readonly number: number
  holder: Holder | undefined
  readonly #world: LaneWorld
  #streams: Promise<readonly OpenStream[]> | undefined
  #open: readonly OpenStream[] = []

  constructor(world: LaneWorld, service: string, replica: number, number: number) {
    this.#world = world
    this.service = service
    this.replica = replica
    this.number = number
  }

  /** Somebody may be writing. An instance that has no process yet and is not the one being prepared never will. */
  get isHeld(): boolean {
    const { holder } = this
    if (holder === undefined || holder.hasEnded) return false
    return holder.instance === undefined || holder.instance.tree !== undefined
  }

  get channels(): readonly Channel[] {
    return this.#open.map(({ channel }) => channel)
  }

  /**
   * Open what is not open yet.
   *
   * @param adopted - Who may be writing already.
   * @throws {HostError} when the host cannot make a pipe.
   */
  async open(limits: StreamLimits, adopted?: string): Promise<void> {
    this.#streams ??= this.#openBoth(limits, adopted)
    try {
      this.#open = await this.#streams
    } catch (thrown) {
      this.#streams = undefined
      throw thrown
    }
  }

  /** The next instance writes from now on. Returns what to hand to it. */
  async begin(instance: string, limits: StreamLimits): Promise<{ stdout: Descriptor; stderr: Descriptor }> {
    await this.open(limits)
    await this.drain()
    for (const { channel } of this.#open) {
      await channel.log.limit(limits)
      channel.begin(instance)
    }
    const [out, error] = this.#open
    if (out === undefined || error === undefined) throw new Error(`the output of ${instance} is closed`)
    return { stdout: out.pipe.writer, stderr: error.pipe.writer }
  }

  /** Read everything that was written, and take what is left as a line. */
  async drain(): Promise<void> {
    await Promise.all(this.#open.map(({ pipe }) => pipe.drain()))
    for (const { channel } of this.#open) channel.finishLine()
  }

  async close(): Promise<void> {
    const streams = await this.#streams?.catch(() => [])
    this.#streams = undefined
    this.#open = []
    for (const { pipe, channel } of streams ?? []) {
      await pipe.drain()
      await pipe.close()
      channel.finishLine()
      channel.log.close()
    }
  }

  async #openBoth(limits: StreamLimits, adopted: string | undefined): Promise<readonly OpenStream[]> {
    const out = await this.#openOne('stdout', limits, adopted)
    try {
      return [out, await this.#openOne('stderr', limits, adopted)]
    } catch (thrown) {
      await out.pipe.close()
      throw thrown
    }
  }

  async #openOne(stream: StreamName, limits: StreamLimits, adopted: string | undefined): Promise<OpenStream> {
    const { host, options } = this.#world
    const { service } = this
    const name = laneName(this.replica, this.number)
    const channel = await Channel.open(
      this.#world,
      { service, stream, base: `${options.folder}/${service}/${name}/${stream}` },
      limits,
    )
    if (adopted !== undefined) channel.resume(adopted)
    // `@` is in no service name, so no two pipes share a path.
    const pipe = await host.output(`${options.pipes}/${service}@${name}.${stream}`, channel.receive, channel.takeUnseen)
    return { pipe, channel }
  }
}

interface OpenStream {
  readonly pipe: OutputPipe
  readonly channel: Channel
}
