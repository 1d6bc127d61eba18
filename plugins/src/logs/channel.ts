/** One stream on its way from a program into files, to those who follow, and to the sinks of other plugins. */
import type { Clock, Files, MoveUnseen } from '@systemg/core'
import type { Followers } from './followers.ts'
import type { LogSource } from './layout.ts'
import { LiveLines } from './live-lines.ts'
import type { Sinks } from './sinks.ts'
import { StreamLog, type Position, type StreamLimits } from './stream-log.ts'

/** An outage of the disk, and its end. */
export interface Trouble {
  readonly source: LogSource
  /** Why output is dropped; `undefined` when it is written again. */
  readonly reason: string | undefined
  /** Lost since that was told last. */
  readonly lines: number
  readonly bytes: number
}

export interface ChannelWorld {
  readonly files: Files
  readonly clock: Pick<Clock, 'now' | 'monotonic'>
  readonly followers: Followers
  readonly sinks: Sinks
  onTrouble(trouble: Trouble): void
}

/** Outages are told at most this often, for a disk that is full every other moment; what was lost meanwhile, with the next. */
const tellAgainMs = 60_000

export class Channel {
  readonly source: LogSource
  /** Where the last finished line ended when it was opened. */
  opened: Position
  readonly log: StreamLog
  /** Who writes. */
  #of: { readonly service: string; readonly instance: string }
  readonly #world: ChannelWorld
  readonly #live = new LiveLines()
  /** Bytes are in the files that the live lines have not seen. */
  #hasUnseen = false
  /** No line that is still unfinished begins before this. */
  #finished: Position
  #toldMs = Number.NEGATIVE_INFINITY
  /** Was told that output is dropped, and not that it is written again. */
  #isTold = false
  /** So much of what was dropped. */
  #told = { lines: 0, bytes: 0 }

  private constructor(world: ChannelWorld, source: LogSource, log: StreamLog) {
    this.#world = world
    this.source = source
    this.log = log
    this.opened = log.end
    this.#finished = log.end
    this.#of = { service: source.service, instance: '' }
  }

  get instance(): string {
    return this.#of.instance
  }

  static async open(world: ChannelWorld, source: LogSource, limits: StreamLimits): Promise<Channel> {
    return new Channel(world, source, await StreamLog.open(world.files, source.base, limits))
  }

  /** Where the last finished line ends: files hold everything before, followers get everything behind. */
  get lineEnd(): Position {
    this.#catchUp()
    const { generation, offset } = this.log.end
    return { generation, offset: Math.max(0, offset - this.#live.pendingBytes) }
  }

  /** What comes is of this instance from now on. */
  begin(instance: string): void {
    this.finishLine()
    this.#of = { ...this.#of, instance }
    this.log.begin(instance)
  }

  /**
   * Go on with an instance of an earlier supervisor, and with the line that it had begun. It has written nothing yet when
   * the files do not know it.
   */
  resume(instance: string): void {
    this.#of = { ...this.#of, instance }
    if (this.log.instance !== instance) {
      this.log.begin(instance)
      return
    }
    this.#hasUnseen = true
    this.#finished = { ...this.log.end, offset: 0 }
    this.opened = this.lineEnd
  }

  /** Where nobody wants to see what comes, it goes into the files unseen. */
  readonly takeUnseen = (move: MoveUnseen): boolean => {
    const { followers, sinks, clock } = this.#world
    if (followers.want(this) || sinks.want(this.#of) || this.#hasUntold) return false
    if (!this.log.writeUnseen(move, clock.now())) return false
    this.#hasUnseen = true
    return true
  }

  readonly receive = (chunk: Uint8Array): void => {
    const timeMs = this.#world.clock.now()
    this.#catchUp()
    const listener = this.#world.followers.listener(this, chunk)
    this.log.write(chunk, timeMs)
    if (this.log.trouble !== undefined || this.#isTold || this.#hasUntold) this.#tellTrouble()
    this.#live.push(chunk, timeMs, listener)
    this.#world.sinks.give(this.#of, () => ({ ...this.#of, stream: this.source.stream, timeMs, chunk }))
  }

  /** The program has ended: what it wrote last is a line, even without a newline. */
  finishLine(): void {
    this.#catchUp()
    if (this.#live.pendingBytes > 0) this.#live.flush(this.#world.followers.listener(this))
    this.#finished = this.log.end
  }

  /** The beginning of the line that goes on is in the file. */
  #catchUp(): void {
    if (!this.#hasUnseen) return
    this.#hasUnseen = false
    const { bytes, timeMs } = this.log.unfinished(this.#finished)
    this.#live.restore(bytes, timeMs)
  }

  get #hasUntold(): boolean {
    return this.log.dropped.bytes > this.#told.bytes
  }

  #tellTrouble(): void {
    const { trouble, dropped } = this.log
    const nowMs = this.#world.clock.monotonic()
    const isOver = trouble === undefined
    if (this.#isTold ? !isOver : nowMs - this.#toldMs < tellAgainMs) return
    const lost = { lines: dropped.lines - this.#told.lines, bytes: dropped.bytes - this.#told.bytes }
    const reason = trouble && `${trouble.message} (${trouble.errno})`
    this.#isTold = !isOver
    this.#toldMs = nowMs
    if (isOver) this.#told = { ...dropped }
    if (!isOver || lost.bytes > 0) this.#world.onTrouble({ source: this.source, reason, ...lost })
  }
}
