/**
 * `notify`: the program says by itself that it is ready. It writes a line to the descriptor named by `SYSG_NOTIFY_FD`
 * (`ready`, or as systemd has it `READY=1`; `STATUS=…` says how far it is), or runs `sysg notify ready`.
 *
 * The descriptor is a named pipe that the program itself keeps open for reading, too: what it says while no supervisor
 * runs waits there for the next one.
 */
import type { Descriptor, Host, InstanceInfo, OutputPipe, Probe } from '@systemg/core'
import { Latch } from '../latch.ts'

/** A program that writes no line end is not kept for ever. */
const longestLine = 4 * 1024

const isReady = (line: string): boolean => /^(ready|READY=1)$/i.test(line)

/** What one instance has said. */
class Voice {
  readonly ready = new Latch()
  status: string | undefined
  pipe: OutputPipe | undefined
  isEnded = false
  #rest = ''
  readonly #decoder = new TextDecoder()

  hear(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    const rest = lines.pop() ?? ''
    this.#rest = rest.length > longestLine ? '' : rest
    for (const line of lines) this.say(line.trim())
    // The line end is easily forgotten, and nothing but the word can be meant.
    if (isReady(this.#rest)) this.ready.open()
  }

  say(line: string): void {
    if (isReady(line)) this.ready.open()
    const [, status] = /^STATUS=(.*)$/.exec(line) ?? []
    if (status !== undefined) this.status = status.slice(0, 200)
  }
}

export class Voices {
  readonly #host: Pick<Host, 'output' | 'files'>
  readonly #folder: string
  readonly #voices = new Map<string, Voice>()

  /** @param folder - Where the pipes are. */
  constructor(host: Pick<Host, 'output' | 'files'>, folder: string) {
    this.#host = host
    this.#folder = folder
  }

  /** Open the pipe of an instance. Returns what to hand to it; `undefined` when it has ended meanwhile. */
  async open(instance: string): Promise<Descriptor | undefined> {
    const voice = this.#voiceOf(instance)
    const pipe = await this.#host.output(this.#pathOf(instance), (chunk) => voice.hear(chunk))
    if (voice.isEnded) {
      await this.#close(instance, pipe)
      return undefined
    }
    voice.pipe = pipe
    return pipe.writer
  }

  /** It said so in another way. */
  say(instance: InstanceInfo, line: string): void {
    this.#voiceOf(instance.id).say(line)
  }

  async end(instance: string): Promise<void> {
    const voice = this.#voices.get(instance)
    this.#voices.delete(instance)
    if (voice === undefined) return
    voice.isEnded = true
    if (voice.pipe !== undefined) await this.#close(instance, voice.pipe)
  }

  readonly probe: Probe = async ({ instance, signal }) => {
    const voice = this.#voiceOf(instance.id)
    await voice.ready.wait(signal).catch(() => {
      throw new Error(voice.status === undefined ? 'it has not said `ready` so far' : `it says: ${voice.status}`)
    })
  }

  async #close(instance: string, pipe: OutputPipe): Promise<void> {
    await pipe.close()
    this.#host.files.remove(this.#pathOf(instance))
  }

  #pathOf(instance: string): string {
    return `${this.#folder}/${instance}`
  }

  #voiceOf(instance: string): Voice {
    const voice = this.#voices.get(instance) ?? new Voice()
    this.#voices.set(instance, voice)
    return voice
  }
}
