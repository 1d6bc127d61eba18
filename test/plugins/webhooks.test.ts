import { createHmac } from 'node:crypto'
import { parseYaml, pause, resolveConfig, type HttpRequest, type HttpResponse, type Plugin } from '@systemg/core'
import {
  answers,
  exitsAfter,
  serve,
  type AnswerRequest,
  type SimulatedAnswer,
  type SimulatedRequest,
} from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { dotenv, restart, store, webhooks } from '@systemg/plugins'
import { describe, expect, it } from 'vitest'
import { retryAfterMs, waitBefore } from '../../plugins/src/webhooks/backoff.ts'
import { Endpoint } from '../../plugins/src/webhooks/endpoint.ts'
import { filterFor } from '../../plugins/src/webhooks/filter.ts'
import { signatureOf } from '../../plugins/src/webhooks/signature.ts'
import { secretsOf, targetOf } from '../../plugins/src/webhooks/target.ts'

const plugins: readonly Plugin[] = [store, dotenv, restart, webhooks]
const url = 'http://127.0.0.1:9000/hooks'

/** An endpoint of a service of the system, and what it was asked. */
class Receiver {
  readonly requests: SimulatedRequest[] = []
  answer: AnswerRequest = () => ({})
  readonly program = answers('tcp://127.0.0.1:9000', (request) => {
    this.requests.push(request)
    return this.answer(request)
  })

  get events(): readonly {
    readonly type: string
    readonly service?: string
    readonly data: Record<string, unknown>
  }[] {
    return this.requests.map(({ body }) => JSON.parse(body) as never)
  }

  get types(): readonly string[] {
    return this.events.map(({ type }) => type)
  }
}

interface Scene extends AsyncDisposable {
  readonly sim: Simulation
  readonly receiver: Receiver
}

const scene = async (
  webhook: Readonly<Record<string, unknown>>,
  { isDown = false, more = {}, idle = false }: { isDown?: boolean; more?: object; idle?: boolean } = {},
): Promise<Scene> => {
  const receiver = new Receiver()
  const sim = await simulate(
    plugins,
    { receiver: { command: 'x' }, api: { command: 'x', ...more } },
    {
      programs: { receiver: isDown ? serve() : receiver.program },
      system: { webhooks: [{ url, events: ['service.*'], services: ['api'], ...webhook }] },
      idle,
    },
  )
  // Until what happened at the start has arrived.
  if (!isDown && !idle) await sim.clock.advance(5_000)
  return { sim, receiver, [Symbol.asyncDispose]: () => sim[Symbol.asyncDispose]() }
}

const list = async (sim: Simulation) =>
  (await sim.system.registries.methods.call('webhooks.list', {})) as readonly Record<string, unknown>[]

describe('an event', () => {
  it('is sent as JSON, with its type, a unique delivery and a signature', async () => {
    await using at = await scene({ secret: 'hush hush', headers: { Authorization: 'Bearer 1234' } })
    await at.sim.service('api').exit({ code: 3 })
    await at.sim.clock.settle()
    const event = at.sim.events.find(({ type, service }) => type === 'service.failed' && service === 'api')
    const request = at.receiver.requests.find(({ headers }) => headers['x-sysg-event'] === 'service.failed')
    expect(JSON.parse(request?.body ?? '')).toEqual(event)
    expect(request).toMatchObject({
      method: 'POST',
      path: '/hooks',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer 1234',
        'x-sysg-signature': `sha256=${createHmac('sha256', 'hush hush')
          .update(request?.body ?? '')
          .digest('hex')}`,
      },
    })
    const ids = at.receiver.requests.map(({ headers }) => headers['x-sysg-delivery'])
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('comes in order, and only where it is wanted', async () => {
    await using at = await scene({ events: ['service.exited', 'service.f*'] })
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.clock.settle()
    expect(at.receiver.types).toEqual(['service.exited', 'service.failed'])
    expect(at.receiver.events.every(({ service }) => service === 'api')).toBe(true)
  })

  it('holds no secret of the environment, of a URL, or of the endpoint', async () => {
    const more = { env: { vars: { DB_PASSWORD: 'tr0ub4dor', COLOR: 'red' } } }
    await using at = await scene({ events: ['service.exited'], secret: 'sesame-open' }, { more })
    at.sim.system.emit(
      'service.exited',
      { service: 'api' },
      {
        ...{ pid: 1, replica: 0, role: 'active', exit: { code: 1, signal: null }, expected: false },
        last_lines: ['red: password tr0ub4dor', 'postgres://me:hunter22@db/x', 'sesame-open'],
      },
    )
    await at.sim.clock.settle()
    expect(at.receiver.events[0]?.data['last_lines']).toEqual([
      ...['red: password ********', 'postgres://me:********@db/x', '********'],
    ])
  })
})

describe('an endpoint that does not take it', () => {
  const failing = async (answer: SimulatedAnswer, webhook = {}) => {
    const at = await scene({ events: ['service.failed'], ...webhook })
    at.receiver.answer = () => answer
    await at.sim.service('api').exit({ code: 1 })
    return at
  }
  const gaveUp = ({ sim }: Scene) => sim.events.filter(({ type }) => type === 'webhook.failed').map(({ data }) => data)

  it.each<[string, SimulatedAnswer]>([
    ['answers 500', { status: 500 }],
    ['answers 429', { status: 429 }],
    ['closes', 'close'],
    ['never answers', 'hang'],
  ])(
    '%s: it is tried again, as often as `retries` says, as the same delivery, and then given up',
    async (_, answer) => {
      await using at = await failing(answer, { retries: 2, timeout: '1s' })
      await at.sim.clock.advance(60_000)
      expect(at.receiver.requests).toHaveLength(3)
      expect(new Set(at.receiver.requests.map(({ headers }) => headers['x-sysg-delivery'])).size).toBe(1)
      expect(gaveUp(at)).toMatchObject([
        { webhook: 0, url: 'http://127.0.0.1:9000/…', event: 'service.failed', attempts: 3 },
      ])
      expect((await list(at.sim))[0]).toMatchObject({ waiting: 0, failed: 1 })
    },
  )

  it.each([400, 401, 404, 302])('answers %d: it is given up at once', async (status) => {
    await using at = await failing({ status })
    await at.sim.clock.advance(60_000)
    expect(at.receiver.requests).toHaveLength(1)
    expect(gaveUp(at)[0]?.['reason']).toMatch(new RegExp(`^status ${status}`))
  })

  it('and asks for patience has it', async () => {
    await using at = await failing({ status: 429, headers: { 'Retry-After': '120' } })
    await at.sim.clock.advance(119_000)
    expect(at.receiver.requests).toHaveLength(1)
    at.receiver.answer = () => ({})
    await at.sim.clock.advance(2_000)
    expect(at.receiver.requests).toHaveLength(2)
    expect((await list(at.sim))[0]).toMatchObject({ waiting: 0, failed: 0, last_failure: null, next_try: null })
  })

  it('is not told of that', async () => {
    await using at = await scene({ events: ['*'], services: undefined, retries: 0 })
    at.receiver.answer = () => ({ status: 500 })
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.clock.advance(60_000)
    expect(at.sim.eventTypes()).toContain('webhook.failed')
    expect(at.receiver.types.filter((type) => type.startsWith('webhook.'))).toEqual([])
  })

  it('shows nothing secret: not in events, traces or lists', async () => {
    await using at = await scene(
      {
        url: 'http://somebody:pa55word@127.0.0.1:9000/services/T000/s3cr3tpath?key=abcdefgh',
        ...{ secret: 'sesame-open', headers: { Authorization: 'Bearer t0ken-t0ken' }, retries: 0 },
        ...{ events: ['*'], services: undefined },
      },
      { isDown: true },
    )
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.clock.advance(60_000)
    const shown = JSON.stringify([at.sim.events, at.sim.world.traceLines, await list(at.sim)])
    expect(shown).toContain('http://127.0.0.1:9000/…')
    expect(shown).toContain('ECONNREFUSED')
    for (const secret of ['pa55word', 's3cr3tpath', 'abcdefgh', 'sesame-open', 't0ken-t0ken'])
      expect(shown).not.toContain(secret)
  })
})

describe('an endpoint that is away', () => {
  it('for twenty seconds and then answers 500 twice gets each event once, also over the death of the supervisor', async () => {
    await using at = await scene({ events: ['service.failed'] }, { isDown: true })
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.clock.advance(9_000)
    at.sim.crash()
    await at.sim.clock.advance(1_000)
    await at.sim.boot()
    await at.sim.finish(at.sim.system.resume())
    await at.sim.clock.advance(10_000)
    let asked = 0
    at.receiver.answer = () => ({ status: ++asked <= 2 ? 500 : 200 })
    at.sim.service('receiver').runs(at.receiver.program)
    await at.sim.finish(at.sim.system.restart({ names: ['receiver'] }))
    await at.sim.clock.advance(3_600_000)
    expect(at.receiver.types).toEqual(['service.failed', 'service.failed', 'service.failed'])
    expect(new Set(at.receiver.requests.map(({ headers }) => headers['x-sysg-delivery'])).size).toBe(1)
    expect((await list(at.sim))[0]).toMatchObject({ waiting: 0, failed: 0, dropped: 0 })
  })

  it('for an hour, in which a service crashes all the time: the queue is bounded, what is left out is counted, and nothing waits', async () => {
    const more = { restart_policy: 'always', backoff: '1s', startup_grace: '10ms' }
    await using at = await scene({ retries: 100, timeout: '10s' }, { isDown: true, more })
    at.sim.service('api').runs(exitsAfter(1_000, 1))
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.clock.advance(3_600_000)
    const [view] = await list(at.sim)
    expect(view).toMatchObject({ waiting: 1_000, failed: 0 })
    // What was left out has taken its place along, but not the wait of the endpoint.
    expect(Date.parse(String(view?.['next_try']))).toBeGreaterThan(at.sim.host.clock.now())
    const told = at.sim.events.filter(({ type }) => type === 'webhook.dropped')
    expect(told.length).toBeGreaterThan(10)
    expect(told.length).toBeLessThanOrEqual(61)
    const all = at.sim.events.filter(({ type, service }) => type.startsWith('service.') && service === 'api').length
    expect(Number(view?.['dropped'])).toBe(all - 1_000)
    // A second alive, ten milliseconds of grace, a second of backoff: as without any endpoint.
    expect(at.sim.service('api').starts).toBeGreaterThan(1_700)

    at.sim.service('receiver').runs(at.receiver.program)
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.finish(at.sim.system.restart({ names: ['receiver'] }))
    await at.sim.clock.advance(30_000)
    expect((await list(at.sim))[0]).toMatchObject({ waiting: 0 })
    expect(at.receiver.requests.length).toBeGreaterThan(990)
    const seqs = at.receiver.events.map((event) => (event as unknown as { seq: number }).seq)
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
  })

  it('and a supervisor killed at any moment: nothing is lost, and nothing comes as two deliveries', async () => {
    for (let killedAt = 1; killedAt < 60; killedAt += 1) {
      await using at = await scene({ events: ['service.exited', 'service.failed'] })
      let calls = 0
      at.sim.world.faults.beforeCall = () => {
        calls += 1
        if (calls === killedAt) at.sim.crash()
      }
      await at.sim.service('api').exit({ code: 1 })
      const told = at.sim.events.filter(({ type }) => type === 'service.exited' || type === 'service.failed')
      if (calls < killedAt) at.sim.crash()
      at.sim.world.faults.beforeCall = undefined
      await at.sim.clock.advance(500)
      await at.sim.boot()
      await at.sim.finish(at.sim.system.resume())
      await at.sim.clock.advance(60_000)
      const seqs = new Set(at.receiver.events.map((event) => (event as unknown as { seq: number }).seq))
      const ids = new Set(at.receiver.requests.map(({ headers }) => headers['x-sysg-delivery']))
      expect(ids.size, `killed before call ${killedAt}`).toBe(seqs.size)
      for (const { seq } of told.slice(0, -1)) expect(seqs, `killed before call ${killedAt}`).toContain(seq)
    }
  })
})

describe('the end of the system', () => {
  it('waits for what is under way, five seconds, and keeps what is left', async () => {
    await using at = await scene({ events: ['service.stopped'] })
    at.receiver.answer = () => 'hang'
    const sinceMs = at.sim.world.elapsedMs()
    await at.sim.finish(at.sim.system.stop(['api']))
    await at.sim.finish(at.sim.system.shutdown())
    // The endpoint is a service of this system, so it has gone before.
    expect(at.sim.world.elapsedMs() - sinceMs).toBeLessThanOrEqual(5_000)
    await at.sim.boot()
    expect((await list(at.sim))[0]).toMatchObject({ waiting: 1 })
    at.receiver.answer = () => ({})
    await at.sim.start(['receiver'])
    await at.sim.clock.advance(30_000)
    expect(at.receiver.types.at(-1)).toBe('service.stopped')
    expect((await list(at.sim))[0]).toMatchObject({ waiting: 0 })
  })

  it.each([
    ['the first', 500],
    ['a later one', 1_500],
  ])('waits until a queue has arrived, of which %s is under way', async (_, sinceMs) => {
    await using sim = await simulate(plugins, {})
    const { clock, store: records, trace } = sim.host
    const arrived: unknown[] = []
    const http = async ({ body, signal }: HttpRequest): Promise<HttpResponse> => {
      await pause(clock, 1_000, signal)
      arrived.push(body)
      return { status: 200, headers: {}, body: '', isCut: false }
    }
    const webhook = { url, events: ['*'], headers: {}, timeout: 10_000, retries: 5 }
    const ignored = { failed: () => undefined, dropped: () => undefined }
    const endpoint = new Endpoint({ clock, store: records, trace, http, random: () => 0 }, 'key', 0, webhook, ignored)
    for (const body of ['1', '2', '3']) endpoint.add({ id: body, type: 'x', body })
    endpoint.open()
    await sim.clock.advance(sinceMs)
    await sim.finish(endpoint.settled())
    expect(arrived).toEqual(['1', '2', '3'])
  })
})

describe('another config', () => {
  const hooks = (webhook: object) => ({
    webhooks: [{ url, events: ['service.failed'], services: ['api'], ...webhook }],
  })
  const services = { receiver: { command: 'x' }, api: { command: 'x' } }

  it('holds at once, restarts nothing, and what waits is signed with its secret', async () => {
    await using at = await scene({ events: ['service.failed'] })
    at.receiver.answer = () => ({ status: 500 })
    await at.sim.service('api').exit({ code: 1 })
    at.receiver.answer = () => ({})
    const next = await at.sim.configOf(services, hooks({ secret: 'another' }))
    const changes = at.sim.system.plan(next).filter(({ service }) => service === 'receiver')
    expect(changes).toMatchObject([{ action: 'keep' }])
    await at.sim.finish(at.sim.system.apply(next))
    await at.sim.clock.advance(10_000)
    const last = at.receiver.requests.at(-1)
    expect(last?.headers['x-sysg-signature']).toBe(signatureOf(last?.body ?? '', 'another'))
  })

  it('without an endpoint forgets what it was to be told', async () => {
    await using at = await scene({ events: ['service.failed'] }, { isDown: true })
    await at.sim.service('api').exit({ code: 1 })
    await at.sim.finish(at.sim.system.apply(await at.sim.configOf(services, {})))
    expect(await list(at.sim)).toEqual([])
    await at.sim.finish(at.sim.system.apply(await at.sim.configOf(services, hooks({}))))
    expect((await list(at.sim))[0]).toMatchObject({ waiting: 0 })
  })
})

describe('a test', () => {
  it('sends a sample beside what waits, once, and says what came of it', async () => {
    await using at = await scene({ secret: 'hush hush' })
    at.receiver.answer = () => ({ status: 418, body: 'short and stout' })
    const asked = at.sim.system.registries.methods.call('webhooks.test', { webhook: 0 }) as Promise<unknown>
    expect(await at.sim.finish(asked)).toEqual([
      {
        ...{ webhook: 0, url: 'http://127.0.0.1:9000/…', ok: false, status: 418, reason: 'status 418' },
        ...{ body: 'short and stout', duration_ms: 0 },
      },
    ])
    const sent = at.receiver.requests.at(-1)
    expect(JSON.parse(sent?.body ?? '')).toMatchObject({
      type: 'webhook.test',
      seq: 0,
      data: { message: 'This is a test.' },
    })
    expect(sent?.headers['x-sysg-signature']).toBe(signatureOf(sent?.body ?? '', 'hush hush'))
  })

  it('of one that is not there is an error, without what was asked for', async () => {
    await using at = await scene({})
    const ask = (webhook: unknown) => () => at.sim.system.registries.methods.call('webhooks.test', { webhook })
    expect(ask(7)).toThrow('There is no webhook with the number 7. The config has 1, counted from 0.')
    expect(ask('http://x/secret')).toThrow('There is no webhook of this URL.')
  })
})

describe('what is shown of a URL', () => {
  it.each([
    ['https://hooks.slack.com/services/T0/B0/xyz', 'https://hooks.slack.com/…'],
    ['http://me:pass@example.org:8080/', 'http://example.org:8080'],
    ['https://example.org?token=1', 'https://example.org/…'],
    ['http+unix://%2Frun%2Fx.sock/hooks', 'http+unix:///run/x.sock/…'],
  ])('%s: %s', (url, shown) => {
    expect(targetOf(url).shown).toBe(shown)
  })

  it('is not who asks: that becomes a header', () => {
    expect(targetOf('http://me:p%40ss@example.org/a?b')).toMatchObject({
      url: 'http://example.org/a?b',
      headers: { authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
    })
    const webhook = { url: 'http://me:p%40ssw0rd@example.org/', headers: {}, secret: 'short' } as never
    expect(secretsOf(webhook)).toEqual(['http://me:p%40ssw0rd@example.org/', 'p%40ssw0rd', 'p@ssw0rd'])
  })
})

describe('when it is tried again', () => {
  it('waits longer each time, and never less than it should', () => {
    expect([1, 2, 3, 4, 5, 6].map((failures) => waitBefore(failures, 0, undefined))).toEqual([
      ...[2_000, 6_000, 18_000, 20_000, 20_000, 20_000],
    ])
    expect(waitBefore(1, 0.999, undefined)).toBeGreaterThan(2_100)
    expect(waitBefore(1, 0, 60_000)).toBe(60_000)
    expect(waitBefore(1, 0, 1)).toBe(2_000)
    expect(waitBefore(1, 0, 1e12)).toBe(3_600_000)
  })

  it.each([
    ['120', 120_000],
    ['Thu, 01 Jan 2026 00:01:00 GMT', 60_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('Retry-After: %s', (value, ms) => {
    expect(retryAfterMs(value, Date.UTC(2026, 0, 1))).toBe(ms)
  })
})

it.each([
  [['service.failed'], 'service.failed', true],
  [['service.failed'], 'service.failed_again', false],
  [['deploy.*'], 'deploy.rolled_back', true],
  [['deploy.*'], 'redeploy.started', false],
  [['*.failed'], 'hook.failed', true],
  [['*'], 'webhook.failed', false],
  [['webhook.*'], 'webhook.dropped', false],
  [['a', 'system.*'], 'system.started', true],
])('%j: %s is wanted: %s', (events, type, isWanted) => {
  expect(filterFor({ events })({ type })).toBe(isWanted)
})

it('services leave out others, and what is about none', () => {
  const wants = filterFor({ events: ['*'], services: ['api'] })
  expect([wants({ type: 'x', service: 'api' }), wants({ type: 'x', service: 'db' }), wants({ type: 'x' })]).toEqual([
    ...[true, false, false],
  ])
})

describe('a mistake in `webhooks`', () => {
  const mistakes = async (webhook: string) => {
    const text = `webhooks: [${webhook}]\nservices:\n  api: { command: x }\n`
    const readText = () => Promise.resolve(undefined)
    const parsed = await parseYaml({ text, file: '/srv/systemg.yaml', readText })
    const { problems } = await resolveConfig({
      ...{ ...parsed, file: '/srv/systemg.yaml', folder: '/srv', plugins: [{ plugin: webhooks }], env: {}, readText },
      projectDefault: { id: 'shop', name: 'shop' },
    })
    return problems.map(({ path, message, hint }) => `${path.slice(2).join('.')}: ${message} ${hint ?? ''}`.trim())
  }

  it.each([
    ['{ url: "ftp://x", events: [a] }', 'is no URL of http or https'],
    ['{ url: "http://x" }', 'events: '],
    ['{ url: "http://x", events: [] }', 'must be a list with at least 1 entry, not an empty list'],
    ['{ url: "http://x", events: ["a b"] }', 'must be the type of an event'],
    ['{ url: "http://x", events: a, evnts: b }', 'Did you mean `events`?'],
    ['{ url: "http://x", events: a, retries: -1 }', 'retries'],
    ['{ url: "http://x", events: a, secret: "" }', 'must not be empty'],
    ['{ url: "http://x", events: a, headers: { X-Sysg-Event: a } }', 'is set by systemg'],
    ['{ url: "http://x", events: a, headers: { "a b": a } }', 'is no name of a header'],
    ['{ url: "http://x", events: a, headers: { a: "b\\nc" } }', 'without line breaks'],
    ['{ url: "http://x", events: a, services: apy }', '`apy` is no service. Did you mean `api`?'],
    ['{ url: "http://x", events: service.faild }', 'Did you mean `service.failed`?'],
    ['{ url: "http://x", events: spawn.exit }', 'Did you mean `spawn.exited`?'],
    [
      '{ url: "http://x", events: "deploys.*" }',
      'no event of systemg begins with `deploys.`. Did you mean `deploy.*`?',
    ],
    ['{ url: "http://x", events: webhook.failed }', '`webhook.failed` is never sent'],
    ['{ url: "http://x", events: "webhook.*" }', '`webhook.*` is never sent'],
  ])('%s', async (webhook, said) => {
    expect((await mistakes(webhook)).join('\n')).toContain(said)
  })

  it('is said without the value', async () => {
    const said = await mistakes('{ url: "htp://me:pa55word@x", events: a, headers: { Authorization: 1234567 } }')
    expect(said.length).toBeGreaterThan(1)
    expect(said.join('\n')).not.toMatch(/pa55word|1234567/)
  })

  it.each([
    '{ url: "http://x", events: my_plugin.thing }',
    '{ url: "http://x", events: ["my_plugin.*", "*.failed", "deploy.*", "serv*"] }',
    '{ url: "http+unix://%2Frun%2Fx/", events: ["*"] }',
  ])('%s is none', async (webhook) => {
    expect(await mistakes(webhook)).toEqual([])
  })
})
