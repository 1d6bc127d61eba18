/**
 * `log`: a line of the program's output. It is looked for until it was found once; afterwards there is nothing to ask.
 *
 * Lines come from a sink of output. What was written before anybody looked (a supervisor before this one read it) is
 * asked of the log files, by the control method `logs.read`.
 */
import type { InstanceInfo, OutputSink, Probe, Registries, WrittenOutput } from '@systemg/core'
import { Latch } from '../latch.ts'
import { matcherOf } from '../pattern.ts'

/** Longer lines are looked at in pieces. */
const longestLine = 16 * 1024

/** Colours and the like: `ready in 300 ms` may come with codes between its words. */
const terminalCodes = /\u001b\[[\d;?]*[ -/]*[@-~]/g

/** What of a stream belongs to a line, or to a character, that has not ended. */
class UnfinishedLine {
  #rest = ''
  readonly #decoder = new TextDecoder()

  /** The lines that have ended. */
  push(chunk: Uint8Array): readonly string[] {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length <= longestLine) return lines
    const long = this.#rest
    this.#rest = ''
    return [...lines, long]
  }
}

class Search {
  readonly text: string
  readonly found = new Latch()
  readonly #matches: (line: string) => boolean
  readonly #streams = new Map<string, UnfinishedLine>()

  constructor(text: string) {
    this.text = text
    this.#matches = matcherOf(text)
  }

  push(stream: string, chunk: Uint8Array): void {
    const unfinished = this.#streams.get(stream) ?? new UnfinishedLine()
    this.#streams.set(stream, unfinished)
    for (const line of unfinished.push(chunk)) this.look(line)
  }

  look(line: string): void {
    const text = line.replace(/\r$/, '').slice(0, longestLine)
    if (this.#matches(text) || this.#matches(text.replaceAll(terminalCodes, ''))) this.found.open()
  }
}

export class LogSearches implements OutputSink {
  readonly #methods: Registries['methods']
  readonly #searches = new Map<string, Search>()

  constructor(methods: Registries['methods']) {
    this.#methods = methods
  }

  wants({ instance }: { readonly instance: string }): boolean {
    return this.#searches.get(instance)?.found.isOpen === false
  }

  write({ instance, stream, chunk }: WrittenOutput): void {
    this.#searches.get(instance)?.push(stream, chunk)
  }

  /** Look at everything that an instance writes from now on. */
  begin(instance: string, text: string): void {
    this.#searches.set(instance, new Search(text))
  }

  end(instance: string): void {
    this.#searches.delete(instance)
  }

  readonly probe: Probe = async ({ instance, options, signal }) => {
    const text = String(options)
    if (this.#searches.get(instance.id)?.text !== text) {
      this.begin(instance.id, text)
      await this.#catchUp(instance, signal)
    }
    await this.#searches
      .get(instance.id)
      ?.found.wait(signal)
      .catch(() => {
        throw new Error(`no line of its output was ${text.startsWith('/') ? text : `\`${text}\``} so far`)
      })
  }

  async #catchUp({ id, service }: InstanceInfo, signal: AbortSignal): Promise<void> {
    const search = this.#searches.get(id)
    if (search === undefined) return
    const params = { services: [service.name], instance: id, lines: 10_000 }
    const records = await this.#methods.call('logs.read', params, signal)
    for (const record of Array.isArray(records) ? (records as readonly { line?: unknown }[]) : [])
      if (typeof record.line === 'string') search.look(record.line)
  }
}
