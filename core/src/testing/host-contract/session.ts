/** One test of a host: the host, the usual steps, and a clean end. */
import type { OutputPipe, SpawnSpec, Spawned, TreeRef } from '../../host.ts'
import type { Argv, HostUnderTest } from './under-test.ts'

/** What is needed of a test runner; vitest and jest have it. */
export interface TestApi {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>, timeoutMs?: number) => unknown
  readonly expect: Expect
}

type Expect = (value: unknown) => Matchers

interface Matchers {
  toBe(expected: unknown): void
  toEqual(expected: unknown): void
  toContain(expected: unknown): void
  toMatch(expected: RegExp): void
  toMatchObject(expected: object): void
  toBeGreaterThanOrEqual(expected: number): void
  toBeLessThan(expected: number): void
}

/** Defines one test. */
export type Check = (title: string, body: (session: Session) => Promise<void>) => void

/** Defines the tests about one port. */
export type Part = (check: Check, expect: Expect) => void

const timeoutMs = 30_000

export const defineCheck =
  (make: () => Promise<HostUnderTest>, api: TestApi): Check =>
  (title, body) =>
    void api.it(
      title,
      async () => {
        const at = await make()
        const session = new Session(at)
        try {
          await body(session)
        } finally {
          await session.end().finally(() => at.dispose())
        }
      },
      timeoutMs,
    )

export class Session {
  /** The host of the supervisor that lives. */
  host: HostUnderTest['host']
  readonly at: HostUnderTest
  readonly #trees: TreeRef[] = []
  readonly #pipes: OutputPipe[] = []

  constructor(at: HostUnderTest) {
    this.at = at
    this.host = at.host
  }

  path(name: string): string {
    return `${this.at.folder}/${name}`
  }

  spec(argv: Argv, more: Partial<SpawnSpec> = {}): SpawnSpec {
    return {
      argv,
      env: environmentOf(this.host.env),
      cwd: this.at.folder,
      stdout: 'null',
      stderr: 'null',
      inherit: [],
      token: this.host.token(),
      ...more,
    }
  }

  /** @throws {Error} when the program could not be started. */
  async spawn(argv: Argv, more: Partial<SpawnSpec> = {}): Promise<Spawned> {
    const spawned = await this.wait(this.host.processes.spawn(this.spec(argv, more)))
    if (!('tree' in spawned)) throw new Error(`${argv[0]} did not start: ${spawned.errno} ${spawned.message}`)
    this.#trees.push(spawned.tree)
    return spawned
  }

  /** Start a program that stays, and wait until it says that it is ready. */
  async spawnReady(argv: Argv, more: Partial<SpawnSpec> = {}): Promise<Spawned> {
    const output = await this.open(`ready-${this.#pipes.length}.fifo`)
    const spawned = await this.spawn(argv, { stdout: output.pipe.writer, ...more })
    await this.at.until(() => output.text().includes('ready'))
    return spawned
  }

  /** Read a named pipe in the test's folder and keep what comes. */
  async open(name: string): Promise<{ pipe: OutputPipe; text: () => string; bytes: () => Uint8Array }> {
    const chunks: Uint8Array[] = []
    const pipe = await this.wait(this.host.output(this.path(name), (chunk) => void chunks.push(copyOf(chunk))))
    this.#pipes.push(pipe)
    const bytes = () => join(chunks)
    return { pipe, bytes, text: () => new TextDecoder().decode(bytes()) }
  }

  /** Let time pass until a promise has settled, and settle as it did. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    let hasSettled = false
    const settle = () => void (hasSettled = true)
    promise.then(settle, settle)
    await this.at.until(() => hasSettled)
    return promise
  }

  /** What a promise rejects with, or throws; undefined when it resolves. */
  async failure(act: () => unknown): Promise<unknown> {
    try {
      await this.wait(Promise.resolve(act()))
      return undefined
    } catch (thrown) {
      return thrown
    }
  }

  /** Go on as the next supervisor. */
  async reopen(): Promise<void> {
    this.#pipes.length = 0
    this.host = await this.at.reopen()
  }

  async end(): Promise<void> {
    for (const tree of this.#trees) {
      await this.wait(this.host.processes.signal(tree, 'SIGKILL'))
      await this.wait(this.host.processes.gone(tree, new AbortController().signal))
    }
    for (const pipe of this.#pipes) await this.wait(pipe.close())
  }
}

/** As little as programs need. */
const environmentOf = ({ PATH }: Readonly<Record<string, string>>): Record<string, string> =>
  PATH === undefined ? {} : { PATH }

export const join = (chunks: readonly Uint8Array[]): Uint8Array => {
  const joined = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let offset = 0
  for (const chunk of chunks) {
    joined.set(chunk, offset)
    offset += chunk.length
  }
  return joined
}

/** Not `slice`: the chunk may be a Buffer, whose `slice` shares its bytes. */
export const copyOf = (chunk: Uint8Array): Uint8Array => new Uint8Array(chunk)

export const same = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

export const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

/** Bytes of every value in an order that a lost, doubled or swapped block would show. */
export const pattern = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 31 + (index >> 8)) & 255)
