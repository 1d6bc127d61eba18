/**
 * The output of one stream of one replica: a named pipe that survives the supervisor.
 *
 *   service ──(its descriptor, O_RDWR)──► FIFO ──(ours, O_RDONLY|O_NONBLOCK)──► onChunk
 *
 * The service's descriptor can also read, so it never sees a broken pipe when the supervisor dies. Ours that we keep for
 * it (`writer`) keeps the pipe from ending between two instances. How bytes get from a pipe into a file says `in-hand.ts`.
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync, readFileSync, unlinkSync } from 'node:fs'
import { dirname } from 'node:path'
import type { OnChunk, MoveUnseen, OutputPipe, TakeUnseen, Trace } from '@systemg/core'
import { OpenAppendFile } from './append-file.ts'
import { FdDescriptor } from './descriptor.ts'
import type { HeldPipe, Keeper } from './held.ts'
import { attempt, hostError, isMissing } from './host-error.ts'
import { deliver } from './in-hand.ts'
import { kernelPipes } from './kernel-pipes.ts'
import { readPaced } from './paced-reading.ts'

/** What a pipe can hold at most, unless root made it larger. */
let knownCapacity: number | undefined

/** Opens pipes, and keeps them open beyond this process. */
export interface NodeOutputs {
  /** Open the pipe at `path`, made when missing. What an earlier supervisor left in it is read first. */
  open(path: string, onChunk: OnChunk, takeUnseen?: TakeUnseen): Promise<OutputPipe>
  /** Let go of what an earlier supervisor had open and nobody has opened here. */
  dropInherited(): void
}

export interface OutputWorld {
  readonly trace: Trace
  /** Make a named pipe where there is nothing. */
  makeFifo(path: string): Promise<void>
}

export const createOutputs = (world: OutputWorld, keeper: Keeper, inherited: readonly HeldPipe[]): NodeOutputs => {
  const left = new Map(inherited.map((pipe) => [pipe.label, { pipe, forget: keeper.keep(pipe) }]))
  const drop = (path: string): void => {
    const found = left.get(path)
    if (found === undefined) return
    left.delete(path)
    found.forget()
    closeSync(found.pipe.fd)
  }
  return {
    async open(path, onChunk, takeUnseen) {
      const { pipe, fd } = await openOutput(path, { onChunk, takeUnseen }, world)
      const forget = keeper.keep({ kind: 'fifo', label: path, fd })
      // Not before: its content goes with its last descriptor.
      drop(path)
      return {
        ...pipe,
        close() {
          forget()
          return pipe.close()
        },
      }
    },
    dropInherited: () => [...left.keys()].forEach(drop),
  }
}

const openOutput = async (
  path: string,
  receiver: Receiver,
  world: OutputWorld,
): Promise<{ pipe: OutputPipe; fd: number }> => {
  const { trace } = world
  await ensureFifo(path, world)
  const reader = attempt(`open ${path}`, () => openSync(path, constants.O_RDONLY | constants.O_NONBLOCK))
  let writer: FdDescriptor
  try {
    writer = new FdDescriptor('fifo', path, openSync(path, constants.O_RDWR))
  } catch (thrown) {
    closeSync(reader)
    throw hostError(`open ${path}`, thrown)
  }
  return { pipe: pipeOf(reader, writer, receiver, trace), fd: writer.fd }
}

interface Receiver {
  readonly onChunk: OnChunk
  readonly takeUnseen: TakeUnseen | undefined
}

const pipeOf = (reader: number, writer: FdDescriptor, { onChunk, takeUnseen }: Receiver, trace: Trace): OutputPipe => {
  const room = new Room(reader)
  let isClosed = false
  const refused = (thrown: unknown): void =>
    trace('error', `output of ${writer.label} was refused`, { why: String(thrown) })
  const hand = (chunk: Uint8Array): void => {
    try {
      onChunk(chunk)
    } catch (thrown) {
      refused(thrown)
    }
  }
  const kernel = takeUnseen && kernelPipes()
  let moved = 0
  const move: MoveUnseen = (file, most) => {
    if (kernel === undefined || !(file instanceof OpenAppendFile)) return 0
    moved = file.moveFrom(reader, Math.min(most, mostMoved), kernel)
    return moved
  }
  /** Bytes that were moved without having been seen. */
  const moveSome = (): number => {
    moved = 0
    try {
      return kernel !== undefined && takeUnseen?.(move) === true ? moved : 0
    } catch (thrown) {
      refused(thrown)
      return moved
    }
  }
  const readSome = (): number => {
    const bytes = moveSome() || deliver(reader, hand)
    room.sawBytes(bytes)
    return bytes
  }
  const readiness = readPaced(reader, readSome)
  readiness.start()

  return {
    writer,
    async drain() {
      // Not inside a chunk's delivery: the buffer would be used twice.
      await Promise.resolve()
      // What is there now is at most a full pipe; more comes only while somebody goes on writing.
      for (let left = capacity(); left > 0 && !isClosed;) {
        const bytes = readSome()
        if (bytes === 0) return
        left -= bytes
      }
    },
    pause: () => readiness.stop(),
    resume: () => readiness.start(),
    async close() {
      isClosed = true
      room.giveBack()
      writer.close()
      await readiness.close()
    },
  }
}

/** The most that the kernel grants everybody. The more a pipe holds, the longer a program writes on without a supervisor. */
const largeRoom = 1024 * 1024
/** Measured with 20 programs that flood: with less at once, or more, each byte takes more time. */
const mostMoved = 512 * 1024
/** Who writes so much in so short a time would soon wait for a supervisor that is not there. */
const loudBytes = 256 * 1024
const loudMs = 100
/** The kernel grants a user 64 MiB for all pipes, those of other programs too. */
const mostLargePipes = 32

let largePipes = 0

/** Makes the pipe of a program that writes much larger: as much is read with a fraction of the turns. */
class Room {
  readonly #pipe: number
  #bytes = 0
  #sinceMs = 0
  #isLarge = false
  #isRefused = false

  constructor(pipe: number) {
    this.#pipe = pipe
  }

  sawBytes(bytes: number): void {
    if (this.#isLarge || this.#isRefused || bytes === 0) return
    const nowMs = performance.now()
    if (nowMs - this.#sinceMs > loudMs) [this.#bytes, this.#sinceMs] = [0, nowMs]
    this.#bytes += bytes
    if (this.#bytes < loudBytes || largePipes >= mostLargePipes) return
    this.#isLarge = kernelPipes()?.enlarge(this.#pipe, largeRoom) ?? false
    this.#isRefused = !this.#isLarge
    if (this.#isLarge) largePipes += 1
  }

  giveBack(): void {
    if (this.#isLarge) largePipes -= 1
    this.#isLarge = false
  }
}

const ensureFifo = async (path: string, world: OutputWorld): Promise<void> => {
  try {
    if (lstatSync(path).isFIFO()) return
    unlinkSync(path)
  } catch (thrown) {
    if (!isMissing(thrown)) throw hostError(`replace ${path} by a pipe`, thrown)
  }
  attempt(`make the folder of ${path}`, () => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }))
  await world.makeFifo(path)
}

const capacity = (): number => (knownCapacity ??= readCapacity())

const readCapacity = (): number => {
  try {
    return Number(readFileSync('/proc/sys/fs/pipe-max-size', 'utf8'))
  } catch {
    return 2 ** 20
  }
}
