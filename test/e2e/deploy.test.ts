/** Blue-green deploys of real servers behind a real proxy, while requests come without a pause. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { freePorts, listenOn } from './ports.ts'
import { isAlive, Sandbox, until } from './sysg.ts'

const programs = join(import.meta.dirname, 'programs')
const node = process.execPath

const ask = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const request = get({ port, host: '127.0.0.1', agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(`${response.statusCode ?? 0} ${text}`))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.setTimeout(10_000, () => request.destroy(new Error('no answer')))
  })

/** A proxy, and somebody who asks it one question after the other. */
class Site implements AsyncDisposable {
  readonly box = new Sandbox()
  readonly slots: readonly number[]
  readonly answers: string[] = []
  readonly failures: string[] = []
  readonly #proxyPort: number
  readonly #proxy: ReturnType<typeof spawn>
  #isAsking = true
  #asking: Promise<void> = Promise.resolve()

  private constructor(ports: readonly number[]) {
    const [proxy = 0, ...slots] = ports
    this.#proxyPort = proxy
    this.slots = slots
    this.box.file('target', String(slots[0]))
    this.#proxy = spawn(node, [join(programs, 'slot-proxy.mjs'), String(proxy), join(this.box.folder, 'target')])
  }

  static async open(): Promise<Site> {
    const site = new Site(await freePorts())
    await once(site.#proxy.stdout ?? site.#proxy, 'data')
    return site
  }

  config(options: { env?: object; deployment?: object; switchTo?: string; verify?: string; grace?: string }): void {
    const { env = {}, deployment = {}, switchTo = '{slot}', verify = 'true', grace = '250ms' } = options
    const api = {
      exec: [node, join(programs, 'slot-server.mjs')],
      env: { vars: env },
      startup_grace: grace,
      deployment: {
        ...{ strategy: 'rolling', grace_period: '500ms', ...deployment },
        blue_green: {
          slots: this.slots,
          switch_command: `"${node}" "${join(programs, 'point-proxy.mjs')}" ${switchTo} target`,
          switch_verify: verify,
        },
      },
    }
    this.box.config(JSON.stringify({ version: '1', services: { api } }))
  }

  /** Start it, and ask from then on. */
  async start(): Promise<void> {
    const started = await this.box.run('start', '-d')
    expect(started).toMatchObject({ code: 0 })
    await until(
      () => ask(this.#proxyPort).catch(() => undefined),
      (answer) => answer !== undefined,
    )
    this.#asking = this.#ask()
  }

  /** What the proxy answers now, of a request that begins now. */
  answer(): Promise<string> {
    return ask(this.#proxyPort)
  }

  async pid(): Promise<number> {
    return (await this.box.service('api')).pid ?? 0
  }

  async #ask(): Promise<void> {
    while (this.#isAsking) {
      await ask(this.#proxyPort).then(
        (answer) => this.answers.push(answer),
        (failure: unknown) => this.failures.push(String(failure)),
      )
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isAsking = false
    await this.#asking
    await this.box[Symbol.asyncDispose]()
    this.#proxy.kill('SIGKILL')
  }
}

it('replaces a server again and again, and no request fails', async () => {
  await using site = await Site.open()
  site.config({ env: { SAYS: 'v1' } })
  await site.start()
  for (const [index, version] of ['v2', 'v3', 'v4'].entries()) {
    site.config({ env: { SAYS: version }, deployment: { pre_start: 'echo building' } })
    const old = await site.pid()
    expect(await site.box.run('restart')).toEqual({ code: 0, stdout: '', stderr: '' })
    const slot = site.slots[(index + 1) % 2] ?? 0
    expect(await site.answer()).toBe(`200 ${version} from ${slot} by ${await site.pid()}`)
    expect(isAlive(old)).toBe(false)
    expect((await site.box.service('api')).instances).toMatchObject([{ slot: String(slot), role: 'active' }])
  }
  expect(site.failures).toEqual([])
  expect(new Set(site.answers.map((answer) => answer.split(' ')[1]))).toEqual(new Set(['v1', 'v2', 'v3', 'v4']))
  const { stdout } = await site.box.run('logs', 'api', '--no-prefix')
  expect(stdout.match(/building/g)).toHaveLength(3)
})

describe('a step that fails leaves the old one serving, and is named with its reason:', () => {
  it.each<[string, Parameters<Site['config']>[0], RegExp]>([
    [
      'pre_start',
      { deployment: { pre_start: 'echo out of coffee; exit 4' } },
      /in step `pre_start`: exit code 4, `out of coffee`\.[^]*goes on serving[^]*│ out of coffee/,
    ],
    [
      'pre_start that hangs, with what it started',
      { deployment: { pre_start: 'sleep 1000 & sleep 2000', pre_start_timeout: '300ms' } },
      /in step `pre_start`: it took longer than 300ms/,
    ],
    [
      'a candidate that does not start',
      { env: { SAYS: 'bad', NODE_OPTIONS: '--no-such' } },
      /in step `ready`: exit code 9/,
    ],
    [
      'switch_command',
      { switchTo: '{slot} target && test {slot} = {active_slot} || { echo no upstream; exit 3; }; true' },
      /in step `switch_command`: exit code 3, `no upstream`\. \[/,
    ],
    ['switch_verify', { verify: 'echo 502 >&2; exit 22' }, /in step `switch_verify`: exit code 22, `502`/],
    [
      'a crash in the grace period',
      { env: { SAYS: 'bad', CRASH_AFTER_MS: '3000' }, deployment: { grace_period: '30s' } },
      /in step `grace_period`: exit code 7/,
    ],
  ])('%s', async (title, changed, text) => {
    await using site = await Site.open()
    site.config({ env: { SAYS: 'good' } })
    await site.start()
    const old = await site.pid()
    site.config({ env: { SAYS: 'bad' }, ...changed })
    const failed = await site.box.run('restart')
    expect(failed).toMatchObject({ code: 1, stdout: '' })
    expect(failed.stderr).toMatch(text)
    expect(await site.pid()).toBe(old)
    expect(await site.answer()).toBe(`200 good from ${site.slots[0] ?? 0} by ${old}`)
    const { supervisor } = await site.box.status()
    expect(new Set(site.box.processes())).toEqual(new Set([supervisor.pid, ...site.box.holders(), old]))
    const failures = [...site.failures]
    // A new instance that crashes after it was led users to fails those it had accepted.
    if (!title.includes('crash')) expect(failures).toEqual([])
    site.config({ env: { SAYS: 'better' } })
    expect(await site.box.run('restart')).toMatchObject({ code: 0 })
    expect(await site.answer()).toContain('better')
    expect(site.failures).toEqual(failures)
  })
})

it('says who has the port that the candidate wanted', async () => {
  await using site = await Site.open()
  // Long enough for the candidate to find out.
  site.config({ grace: '5s' })
  await site.start()
  const old = await site.pid()
  const stranger = await listenOn(site.slots[1] ?? 0)
  const failed = await site.box.run('restart', '-s', 'api')
  stranger.close()
  expect(failed.stderr).toMatch(
    new RegExp(`in step \`ready\`: exit code 1, \`port ${site.slots[1] ?? 0} is held by pid ${process.pid} `),
  )
  expect(await site.pid()).toBe(old)
})

it('a supervisor that was killed during a switch leads users back, to the server that it keeps', async () => {
  await using site = await Site.open()
  site.config({ env: { SAYS: 'good' } })
  await site.start()
  const old = await site.pid()
  site.config({ env: { SAYS: 'new' }, verify: 'touch verifying; sleep 1000' })
  const restart = site.box.run('restart')
  await until(
    () => site.answer(),
    (answer) => answer.includes('new'),
  )
  process.kill((await site.box.status()).supervisor.pid, 'SIGKILL')
  expect((await restart).code).not.toBe(0)
  site.config({ env: { SAYS: 'good' } })
  expect(await site.box.run('start', '-d')).toMatchObject({ code: 0 })
  await until(
    () => site.answer(),
    (answer) => answer === `200 good from ${site.slots[0] ?? 0} by ${old}`,
  )
  const { supervisor } = await site.box.status()
  await until(
    () => site.box.processes().length - site.box.holders().length,
    (count) => count === 2,
  )
  expect(new Set(site.box.processes())).toEqual(new Set([supervisor.pid, ...site.box.holders(), old]))
  expect((await site.box.run('events', '--json', '--type', 'deploy.*')).stdout).toContain('deploy.rolled_back')
})
