import { createHooks, definePlugin, Registry, z, type Connection, type SysgEvent } from '@systemg/core'
import { simulate, type Simulation, type SimulationOptions } from '@systemg/core/testing'
import { control } from '@systemg/plugins/control'
import { describe, expect, it } from 'vitest'
import { ControlError, rpcClient, type CallOptions, type RpcClient } from '../../plugins/src/control/client.ts'

const socket = '/run/control.sock'
const two = { db: { command: 'x' }, api: { command: 'y', depends_on: ['db'] } }

/** How many messages `odd.patient` got rid of. */
let told = 0

/** Methods that misbehave, brought by another plugin. */
const odd = definePlugin({
  name: 'odd',
  setup(api) {
    api.registerMethod(
      'odd.hang',
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
        }),
    )
    api.registerMethod('odd.flood', async (_, call) => {
      const text = 'x'.repeat(100_000)
      while (!call.signal.aborted) {
        void call.notify('flood', { text })
        await Promise.resolve()
      }
    })
    api.registerMethod('odd.patient', async (params, call) => {
      const { frames } = params as { frames: number }
      for (let at = 0; at < frames; at += 1) {
        await call.notify('patient', { at, text: 'x'.repeat(10_000) })
        told = at + 1
      }
      return frames
    })
    api.registerMethod('odd.zod', (params) => z.strictObject({ port: z.int() }).parse(params))
    api.registerMethod('odd.throw', () => {
      throw new TypeError('broken')
    })
    api.registerMethod('odd.big', () => 'x'.repeat(1_000_000))
    api.registerMethod('odd.circle', () => {
      const circle: Record<string, unknown> = {}
      circle['self'] = circle
      return circle
    })
  },
})

const begin = (options: Record<string, unknown> = {}, simulation: SimulationOptions = {}) =>
  simulate([odd, { plugin: control, options: { socket, pid: 42, version: '1.2.3', ...options } }], two, simulation)

/** A client whose time is that of the simulation, but which is no part of the supervisor. */
const connect = async (sim: Simulation): Promise<RpcClient> =>
  rpcClient(await sim.world.connect(socket), sim.world.host().clock)

const call = (sim: Simulation, client: RpcClient, method: string, params?: unknown, options?: CallOptions) =>
  sim.finish(client.call(method, params, options))

/** A connection by hand. */
const raw = async (sim: Simulation) => {
  const connection: Connection = await sim.world.connect(socket)
  let text = ''
  let isClosed = false
  connection.onData((chunk) => void (text += new TextDecoder().decode(chunk)))
  connection.onClose(() => void (isClosed = true))
  return {
    connection,
    send: async (data: string | Uint8Array) => {
      void connection.write(typeof data === 'string' ? new TextEncoder().encode(data) : data)
      await sim.clock.settle()
    },
    get replies() {
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map(
          (line) =>
            JSON.parse(line) as { id: unknown; result?: unknown; error?: { code: number; data: { code: string } } },
        )
    },
    get isClosed() {
      return isClosed
    },
  }
}

const request = (id: number | string, method: string, params?: unknown) =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`

describe('control', () => {
  it('answers who it is and how things are', async () => {
    await using sim = await begin({ config: '/srv/systemg.yaml' })
    const client = await connect(sim)
    expect(await call(sim, client, 'ping')).toEqual({ pid: 42, version: '1.2.3', project: 'test', stopping: false })
    expect(await call(sim, client, 'status')).toMatchObject({
      project: { id: 'test', config: '/srv/systemg.yaml' },
      supervisor: { pid: 42, version: '1.2.3', started_at: '2026-01-01T00:00:00.000Z' },
      services: [
        { name: 'db', state: 'running' },
        { name: 'api', state: 'running' },
      ],
    })
    expect(await call(sim, client, 'status', { services: ['api'] })).toMatchObject({ services: [{ name: 'api' }] })
  })

  it('listens before the rest of the system boots', async () => {
    const order: string[] = []
    const serve = async (path: string) => {
      order.push(`listen ${path}`)
      return { close: async () => undefined }
    }
    const timer = () => () => undefined
    const hooks = createHooks({ clock: { timer }, owner: () => undefined, report: () => undefined })
    hooks.boot.tap('other', (state) => {
      order.push('boot')
      return state
    })
    const host = { net: { serve }, clock: { timer, now: () => 0 } }
    const registries = { methods: new Registry('control method') }
    const ignored = () => undefined
    const api = { hooks, host, registries, options: { socket }, registerMethod: ignored, onDispose: ignored }
    control.setup?.(api as never)
    const nothing = { lastSeq: 0, intents: {}, instances: [], outcomes: [], adHoc: [] }
    await hooks.boot.promise(nothing, { signal: new AbortController().signal })
    expect(order).toEqual([`listen ${socket}`, 'boot'])
  })

  it('does not start a system whose socket it cannot open', async () => {
    await using sim = await begin()
    const other = definePlugin({
      name: 'other',
      setup: ({ hooks, host }) =>
        hooks.boot.tapPromise({ name: 'other', stage: -200 }, async (state) => {
          await host.net.serve('run/control.sock', () => undefined)
          return state
        }),
    })
    await expect(simulate([other, control], two)).rejects.toThrow(
      'The control socket run/control.sock cannot be opened',
    )
    expect(sim.states).toEqual({ db: 'running', api: 'running' })
  })

  it('stops, starts, restarts and scales, telling what happens meanwhile', async () => {
    await using sim = await begin()
    const client = await connect(sim)
    const told: SysgEvent[] = []
    const onNotify = (method: string, event: unknown) => {
      expect(method).toBe('event')
      told.push(event as SysgEvent)
    }
    expect(await call(sim, client, 'stop', { services: ['api'] }, { onNotify })).toMatchObject({ ok: true })
    expect(sim.states).toEqual({ db: 'running', api: 'stopped' })
    expect(told.map(({ type }) => type)).toContain('service.stopped')
    told.length = 0
    expect(await call(sim, client, 'start', { services: ['api'] }, { onNotify })).toMatchObject({ ok: true })
    expect(told.map(({ type }) => type)).toContain('service.ready')
    const pids = sim.service('api').pids
    await call(sim, client, 'restart', { services: ['api'] })
    expect(sim.service('api').pids).not.toEqual(pids)
    const { config } = sim.system
    expect(await call(sim, client, 'plan', { config, all: true })).toMatchObject([{ action: 'restart' }, {}])
    expect(await call(sim, client, 'apply', { config })).toMatchObject({ ok: true })
    expect(await call(sim, client, 'settled')).toMatchObject({ ok: true })
    await call(sim, client, 'scale', { replicas: { api: 3 } })
    expect(sim.service('api').pids).toHaveLength(3)
    const count = told.length
    await call(sim, client, 'stop', { services: ['db'] })
    expect(told).toHaveLength(count)
  })

  it('starts a service that is in no config, once or by a name of its own', async () => {
    await using sim = await begin()
    const client = await connect(sim)
    const { worker: service } = (await sim.configOf({ worker: { exec: ['work'] } })).services
    const told: SysgEvent[] = []
    const onNotify = (_method: string, event: unknown) => void told.push(event as SysgEvent)
    expect(await call(sim, client, 'start_ad_hoc', { service }, { onNotify })).toEqual({
      ...{ ok: true, problems: [], warnings: [], service: 'worker' },
    })
    expect(told.map(({ type }) => type)).toContain('service.ready')
    expect(await call(sim, client, 'start_ad_hoc', { service })).toMatchObject({
      ok: true,
      warnings: ['`worker` runs already, with the same command.'],
    })
    const again = call(sim, client, 'start_ad_hoc', { service, new: true })
    await expect(again).rejects.toMatchObject({ code: 'SYSG_NAME_TAKEN' })
    expect(await call(sim, client, 'status', { services: ['worker'] })).toMatchObject({ services: [{ ad_hoc: true }] })
    for (const wrong of [{ name: 'a b' }, { argv: [] }, { working_dir: 'here' }, { depends_on: { api: {} } }])
      await expect(call(sim, client, 'start_ad_hoc', { service: { ...service, ...wrong } })).rejects.toMatchObject({
        code: 'SYSG_CONTROL_PARAMS_INVALID',
      })
  })

  it.each([
    ['stop', {}, '`services`: Invalid input: expected array, received undefined'],
    ['stop', { services: ['api', ''] }, '`services.1`: Too small: expected string to have >=1 characters'],
    ['stop', { services: ['api'], force: true }, 'Unrecognized key: "force"'],
    ['scale', { replicas: { api: -1 } }, '`replicas.api`: Too small: expected number to be >=0'],
    ['apply', { config: [] }, '`config`: must be a resolved config'],
    ['odd.zod', { port: 'x' }, '`port`: Invalid input: expected number, received string'],
  ])('says what is wrong with the parameters of %s %j', async (method, params, message) => {
    await using sim = await begin()
    await expect(call(sim, await connect(sim), method, params)).rejects.toThrow(`Wrong parameters: ${message}.`)
  })

  it.each([
    ['start', { services: ['nope'] }, 'SYSG_SERVICE_UNKNOWN', -32_000],
    ['status', { services: ['nope'] }, 'SYSG_SERVICE_UNKNOWN', -32_000],
    ['stop', {}, 'SYSG_CONTROL_PARAMS_INVALID', -32_602],
    ['stop', { services: [] }, 'SYSG_CONTROL_PARAMS_INVALID', -32_602],
    ['stop', { services: ['api'], force: true }, 'SYSG_CONTROL_PARAMS_INVALID', -32_602],
    ['scale', { replicas: { api: -1 } }, 'SYSG_CONTROL_PARAMS_INVALID', -32_602],
    ['apply', { config: [] }, 'SYSG_CONTROL_PARAMS_INVALID', -32_602],
    ['ping', { x: 1 }, 'SYSG_CONTROL_PARAMS_INVALID', -32_602],
    ['nope', {}, 'SYSG_CONTROL_METHOD_UNKNOWN', -32_601],
    ['odd.zod', { port: 'x' }, 'SYSG_CONTROL_PARAMS_INVALID', -32_602],
    ['odd.throw', {}, 'SYSG_INTERNAL', -32_603],
    ['odd.circle', {}, 'SYSG_INTERNAL', -32_603],
  ])('refuses %s %j with %s', async (method, params, code, rpcCode) => {
    await using sim = await begin()
    const client = await connect(sim)
    await expect(call(sim, client, method, params)).rejects.toMatchObject({ name: 'ControlError', code, rpcCode })
    expect(await call(sim, client, 'ping')).toMatchObject({ pid: 42 })
  })

  it('answers a shutdown before it closes', async () => {
    await using sim = await begin()
    const client = await connect(sim)
    const other = await connect(sim)
    const hanging = expect(other.call('odd.hang')).rejects.toMatchObject({ code: 'SYSG_SHUTTING_DOWN' })
    await sim.clock.settle()
    const outcome = await call(sim, client, 'shutdown', { why: 'test' })
    expect(outcome).toEqual({ ok: true, problems: [], warnings: [] })
    await sim.finish(Promise.all([client.closed, other.closed]))
    await hanging
    await expect(connect(sim)).rejects.toMatchObject({ errno: 'ENOENT' })
    expect(sim.world.processes.list()).toEqual([])
  })

  it('aborts what a client asked for when it goes away', async () => {
    let aborted = 0
    const watches = definePlugin({
      name: 'watches',
      setup: (api) =>
        api.registerMethod('watch', (_, { signal }) => {
          signal.addEventListener('abort', () => aborted++)
          return new Promise((resolve) => {
            signal.addEventListener('abort', resolve)
          })
        }),
    })
    await using sim = await simulate([watches, { plugin: control, options: { socket } }], two)
    const client = await connect(sim)
    const lost = expect(client.call('watch')).rejects.toMatchObject({ code: 'SYSG_CONTROL_LOST' })
    await sim.clock.settle()
    client.close()
    await sim.clock.settle()
    expect(aborted).toBe(1)
    await lost
    const patient = await connect(sim)
    const controller = new AbortController()
    const cancelled = patient.call('watch', {}, { signal: controller.signal })
    const refused = expect(cancelled).rejects.toThrow('enough')
    await sim.clock.settle()
    controller.abort(new Error('enough'))
    await sim.clock.settle()
    await refused
    expect(aborted).toBe(2)
    expect(await call(sim, patient, 'ping')).toMatchObject({ project: 'test' })
  })

  it('answers requests as they are done, not as they came', async () => {
    await using sim = await begin()
    const client = await raw(sim)
    await client.send(request(1, 'odd.hang') + request('two', 'ping') + request(3, 'ping'))
    expect(client.replies.map(({ id }) => id)).toEqual(['two', 3])
    await client.send(`${JSON.stringify({ jsonrpc: '2.0', method: 'cancel', params: { id: 1 } })}\n`)
    expect(client.replies.at(-1)).toMatchObject({ id: 1, error: { data: { code: 'SYSG_CONTROL_CANCELLED' } } })
    client.connection.close()
  })

  it('lets the client give up on a supervisor that says nothing', async () => {
    await using sim = await begin()
    const client = await connect(sim)
    const silent = call(sim, client, 'odd.hang', {}, { timeoutMs: 5_000 })
    await expect(silent).rejects.toMatchObject({ code: 'SYSG_CONTROL_TIMEOUT' })
    await expect(silent).rejects.toBeInstanceOf(ControlError)
    client.close()
  })
})

describe('garbage on the socket', () => {
  it.each([
    ['a page of noise', new Uint8Array(5_000).map((_, at) => (at * 7919) % 256)],
    ['a web browser', 'GET / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n'],
    ['deep nesting', `${'['.repeat(50_000)}\n`],
    ['half a message', '{"jsonrpc":"2.0",'],
    ['a poisoned object', '{"__proto__":{"jsonrpc":"2.0"},"id":1,"method":"constructor"}\n'],
    ['names of every object', request(1, 'constructor') + request(2, '__proto__') + request(3, 'toString')],
  ])('such as %s harms nobody', async (_, data) => {
    await using sim = await begin()
    const [noisy, client] = [await raw(sim), await connect(sim)]
    await noisy.send(data)
    expect(await call(sim, client, 'ping')).toMatchObject({ pid: 42 })
    expect(noisy.replies.every(({ error }) => error !== undefined)).toBe(true)
    noisy.connection.close()
    expect(sim.states).toEqual({ db: 'running', api: 'running' })
  })

  it('ends the connection when there is no end of it', async () => {
    await using sim = await begin({ mistakes: 3 })
    const noisy = await raw(sim)
    await noisy.send('a\nb\n')
    await noisy.send(request(1, 'ping'))
    await noisy.send('a\nb\n')
    expect(noisy.isClosed).toBe(false)
    await noisy.send('c\n')
    expect(noisy.isClosed).toBe(true)
    expect(noisy.replies).toHaveLength(6)
  })

  it('ends the connection when a frame is too long', async () => {
    await using sim = await begin({ frame_bytes: 1_000_000 })
    const noisy = await raw(sim)
    for (let sent = 0; sent < 1_200_000; sent += 50_000) await noisy.send('x'.repeat(50_000))
    expect(noisy.replies).toMatchObject([{ id: null, error: { data: { code: 'SYSG_CONTROL_FRAME_TOO_LONG' } } }])
    expect(noisy.isClosed).toBe(true)
  })

  it('does not wait for a client that never reads why its connection ends', async () => {
    await using sim = await begin({ goodbye_ms: 2_000, frame_bytes: 1_000_000 })
    const connection = await sim.world.connect(socket)
    let isClosed = false
    connection.onClose(() => void (isClosed = true))
    void connection.write(new TextEncoder().encode(request(1, 'odd.big')))
    await sim.clock.settle()
    void connection.write(new Uint8Array(1_200_000).fill(0x78))
    await sim.clock.advance(1_999)
    expect(isClosed).toBe(false)
    await sim.clock.advance(1)
    expect(isClosed).toBe(true)
  })

  it('ends the connection when a frame takes too long, but lets one without a frame wait', async () => {
    await using sim = await begin({ frame_ms: 10_000 })
    const [slow, idle] = [await raw(sim), await raw(sim)]
    await slow.send('{"jsonrpc":')
    await sim.clock.advance(9_000)
    await slow.send('"2.0",')
    expect(slow.isClosed).toBe(false)
    await sim.clock.advance(1_001)
    expect(slow.replies).toMatchObject([{ error: { data: { code: 'SYSG_CONTROL_FRAME_TIMEOUT' } } }])
    expect(slow.isClosed).toBe(true)
    await sim.clock.advance(86_400_000)
    await idle.send(request(1, 'ping'))
    expect(idle.replies).toMatchObject([{ id: 1, result: { pid: 42 } }])
  })
})

describe('bounds', () => {
  it('hold for the requests of one connection', async () => {
    await using sim = await begin({ requests: 2 })
    const client = await raw(sim)
    await client.send([1, 2, 3].map((id) => request(id, 'odd.hang')).join(''))
    expect(client.replies).toMatchObject([{ id: 3, error: { data: { code: 'SYSG_CONTROL_BUSY' } } }])
    await client.send(request(2, 'ping'))
    expect(client.replies.at(-1)).toMatchObject({ id: 2, error: { code: -32_600 } })
  })

  it('hold for connections, of which the longest idle makes room', async () => {
    await using sim = await begin({ connections: 3 })
    const busy = await raw(sim)
    await busy.send(request(1, 'odd.hang'))
    const idle = await raw(sim)
    const another = await raw(sim)
    const newcomer = await raw(sim)
    await newcomer.send(request(1, 'ping'))
    expect(newcomer.replies).toMatchObject([{ result: { pid: 42 } }])
    expect([busy, idle, another].map(({ isClosed }) => isClosed)).toEqual([false, true, false])
    for (const one of [another, newcomer]) await one.send(request(2, 'odd.hang'))
    const refused = await raw(sim)
    await sim.clock.settle()
    expect(refused.replies).toMatchObject([{ id: null, error: { data: { code: 'SYSG_CONTROL_FULL' } } }])
    expect(refused.isClosed).toBe(true)
  })

  it('end the subscription of a reader that is too slow, and tell it so', async () => {
    await using sim = await begin({ waiting_length: 1_000_000 })
    const connection = await sim.world.connect(socket)
    void connection.write(new TextEncoder().encode(request(1, 'odd.flood')))
    await sim.clock.settle()
    let text = ''
    connection.onData((chunk) => void (text += new TextDecoder().decode(chunk)))
    await sim.clock.settle()
    expect(text.length).toBeGreaterThan(900_000)
    expect(text.length).toBeLessThan(1_500_000)
    expect(JSON.parse(text.trim().split('\n').at(-1) ?? '')).toMatchObject({
      id: 1,
      error: { data: { code: 'SYSG_CONTROL_SLOW_READER' } },
    })
  })

  it('let a method wait until its reader has room, and lose none of its messages', async () => {
    await using sim = await begin({ waiting_length: 1_000_000 })
    told = 0
    const connection = await sim.world.connect(socket)
    void connection.write(new TextEncoder().encode(request(1, 'odd.patient', { frames: 1_000 })))
    await sim.clock.advance(60_000)
    expect(told).toBeGreaterThan(5)
    expect(told).toBeLessThan(60)
    let text = ''
    connection.onData((chunk) => void (text += new TextDecoder().decode(chunk)))
    await sim.until(() => text.includes('"result"'))
    const frames = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { result?: number; params?: { at: number } })
    expect(frames.pop()).toMatchObject({ id: 1, result: 1_000 })
    expect(frames.map(({ params }) => params?.at)).toEqual(Array.from({ length: 1_000 }, (_, at) => at))
  })

  it('let go of a method that waits for a reader that has gone', async () => {
    await using sim = await begin()
    told = 0
    const connection = await sim.world.connect(socket)
    void connection.write(new TextEncoder().encode(request(1, 'odd.patient', { frames: 1_000 })))
    await sim.clock.settle()
    expect(told).toBeLessThan(60)
    connection.close()
    await sim.until(() => told === 1_000)
  })

  it('end the connection of a client that asks and never reads', async () => {
    await using sim = await begin({ waiting_length: 1_000_000 })
    const connection = await sim.world.connect(socket)
    let isClosed = false
    connection.onClose(() => void (isClosed = true))
    for (let id = 0; id < 20; id++) {
      void connection.write(new TextEncoder().encode(request(id, 'odd.big')))
      await sim.clock.settle()
    }
    connection.onData(() => undefined)
    await sim.clock.settle()
    expect(isClosed).toBe(true)
  })
})
