/** People who ask a server one question after the other, with connections that they keep and with one for each request. */
import { Agent, get } from 'node:http'

/** One request. `agent` keeps its connections; without one there is one for this request. @throws when there is no answer. */
export const ask = (port: number, agent: Agent | false = false): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode ?? 0} ${text}`))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.setTimeout(10_000, () => request.destroy(new Error('no answer')))
  })

export class Visitors implements AsyncDisposable {
  /** Status and text of all good answers. */
  readonly answers: string[] = []
  /** Requests without a good answer. */
  readonly failures: string[] = []
  readonly #port: number
  readonly #agents: readonly (Agent | false)[]
  readonly #asking: Promise<unknown>
  #isOver = false

  /** They begin at once: `each` with kept connections, and as many without. */
  constructor(port: number, each = 2) {
    this.#port = port
    this.#agents = Array.from(
      { length: each },
      () => [new Agent({ keepAlive: true, maxSockets: 1 }), false] as const,
    ).flat()
    this.#asking = Promise.all(this.#agents.map((agent) => this.#ask(agent)))
  }

  get count(): number {
    return this.#agents.length
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true
    await this.#asking
    for (const agent of this.#agents) if (agent !== false) agent.destroy()
  }

  async #ask(agent: Agent | false): Promise<void> {
    const kind = agent === false ? 'a new connection' : 'a kept connection'
    while (!this.#isOver) {
      await ask(this.#port, agent).then(
        (answer) => (answer.startsWith('200 ') ? this.answers : this.failures).push(answer),
        (failure: unknown) => this.failures.push(`${String(failure)}, by ${kind}`),
      )
    }
  }
}
