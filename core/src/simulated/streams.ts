/** Where processes' output leads, and the named pipes of a world by path. */
import type { Descriptor, SpawnFailure, Stream } from '../host.ts'
import { spawnFailure } from './faults.ts'
import { NamedPipe } from './output.ts'
import type { Sink } from './process.ts'

/** What is kept of inherited output, bytes. */
const terminalBytes = 1024 * 1024

export class Streams {
  readonly #pipes = new Map<string, NamedPipe>()
  readonly #open = new WeakMap<Descriptor, NamedPipe>()
  readonly #decoder = new TextDecoder()
  #terminal = ''

  /** Everything processes wrote to `inherit` streams. */
  get terminal(): string {
    return this.#terminal
  }

  /** The pipe at a path; made when missing. */
  pipe(path: string): NamedPipe {
    const pipe = this.#pipes.get(path) ?? new NamedPipe()
    this.#pipes.set(path, pipe)
    return pipe
  }

  /** A descriptor that processes can write this pipe with, until it is closed. */
  writerOf(path: string): Descriptor {
    const descriptor: Descriptor = { kind: 'fifo', label: path, close: () => void this.#open.delete(descriptor) }
    this.#open.set(descriptor, this.pipe(path))
    return descriptor
  }

  /** The pipe behind a descriptor that is open; `undefined` for any other. */
  pipeOf(descriptor: Descriptor): NamedPipe | undefined {
    return this.#open.get(descriptor)
  }

  sinkOf(stream: Stream): Sink | SpawnFailure {
    if (stream === 'null') return () => undefined
    if (stream === 'inherit') return (bytes) => this.#show(bytes)
    const pipe = this.#open.get(stream)
    if (pipe === undefined) return spawnFailure('EBADF', `spawn EBADF: ${stream.label} is closed or no stream`)
    return (bytes, writer) => pipe.write(bytes, writer)
  }

  clear(): void {
    this.#pipes.clear()
  }

  #show(bytes: Uint8Array): void {
    this.#terminal = (this.#terminal + this.#decoder.decode(bytes, { stream: true })).slice(-terminalBytes)
  }
}
