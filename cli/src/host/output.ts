/**
 * The output of one stream of one replica: a named pipe that survives the supervisor.
 *
 *   service ──(its descriptor, O_RDWR)──► FIFO ──(ours, O_RDONLY|O_NONBLOCK)──► onChunk
 *
 * The service's descriptor can also read, so it never sees a broken pipe when the supervisor dies. Ours that we keep for
 * it (`writer`) keeps the pipe from ending between two instances. All pipes read into one buffer: a chunk is used
 * before the next one is read.
 */
import { closeSync, constants, lstatSync, mkdirSync, openSync, readFileSync, readSync, unlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { dirname } from 'node:path'
import type { OnChunk, OutputPipe, Trace } from '@systemg/core'
import { FdDescriptor } from './descriptor.ts'
import type { HeldPipe, Keeper } from './held.ts'
import { attempt, errnoOf, hostError, isMissing } from './host-error.ts'

const buffer = Buffer.allocUnsafeSlow(256 * 1024)

/** What a pipe can hold at most, unless root made it larger. */
let knownCapacity: number | undefined

/** Opens pipes, and keeps them open beyond this process. */
export interface NodeOutputs {
  /** Open the pipe at `path`, made when missing. What an earlier supervisor left in it is read first. */
  open(path: string, onChunk: OnChunk): Promise<OutputPipe>
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
    async open(path, onChunk) {
      const { pipe, fd } = await openOutput(path, onChunk, world)
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
  onChunk: OnChunk,
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
  return { pipe: pipeOf(reader, writer, onChunk, trace), fd: writer.fd }
}

const pipeOf = (reader: number, writer: FdDescriptor, onChunk: OnChunk, trace: Trace): OutputPipe => {
  const deliver = (bytes: number): void => {
    try {
      onChunk(buffer.subarray(0, bytes))
    } catch (thrown) {
      trace('error', `output of ${writer.label} was refused`, { why: String(thrown) })
    }
  }
  const socket = new Socket({
    fd: reader,
    readable: true,
    writable: false,
    onread: {
      buffer,
      callback: (bytes) => {
        deliver(bytes)
        return true
      },
    },
  })
  socket.on('error', (error) => trace('error', `output of ${writer.label} can't be read`, { why: error.message }))
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))

  return {
    writer,
    async drain() {
      // Not inside a chunk's delivery: the buffer would be used twice.
      await Promise.resolve()
      // What is there now is at most a full pipe; more comes only while somebody goes on writing.
      for (let left = capacity(); left > 0 && !socket.destroyed;) {
        const bytes = readSome(reader)
        if (bytes === 0) return
        deliver(bytes)
        left -= bytes
      }
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    async close() {
      writer.close()
      socket.destroy()
      await closed
    },
  }
}

/** Bytes that were read into the buffer; 0 when the pipe is empty. */
const readSome = (fd: number): number => {
  for (;;) {
    try {
      return readSync(fd, buffer, 0, buffer.length, null)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EINTR') return 0
    }
  }
}

const ensureFifo = async (path: string, world: OutputWorld): Promise<void> => {
  attempt(`make the folder of ${path}`, () => mkdirSync(dirname(path), { recursive: true, mode: 0o700 }))
  try {
    if (lstatSync(path).isFIFO()) return
    unlinkSync(path)
  } catch (thrown) {
    if (!isMissing(thrown)) throw hostError(`replace ${path} by a pipe`, thrown)
  }
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
