import { prints, type Program } from '@systemg/core/simulated'
import { simulate, type Simulation } from '@systemg/core/testing'
import { logs, type LogRecord } from '@systemg/plugins/logs'
import { restart } from '@systemg/plugins/restart'
import { store } from '@systemg/plugins/store'
import { describe, expect, it } from 'vitest'
import { rolling } from '../simulation/plugins.ts'

const shown = (records: unknown) =>
  (records as readonly (LogRecord & { line?: string })[]).map(
    ({ instance, stream, line }) => `${instance} ${stream} ${line ?? '?'}`,
  )

/** Ask a control method and let time pass until it answers. */
const ask = (sim: Simulation, method: string, params: unknown = {}): Promise<unknown> =>
  sim.finish(Promise.resolve().then(() => sim.system.registries.methods.call(method, params)))

/** Follow, collecting what is told. */
const follow = (sim: Simulation, params: unknown) => {
  const told: string[] = []
  const controller = new AbortController()
  const done = Promise.resolve(
    sim.system.registries.methods.get('logs.follow')?.(params, {
      signal: controller.signal,
      notify: async (method, params) => {
        if (method === 'log') told.push(...(params as { records: { line: string }[] }).records.map(({ line }) => line))
        else told.push(method)
      },
    }),
  )
  return { told, stop: () => controller.abort(), done }
}

const ticks =
  (everyMs: number, prefix = ''): Program =>
  (self) => {
    let count = 0
    const tick = () => {
      self.write(`${prefix}${count++}\n`)
      self.after(everyMs, tick)
    }
    tick()
  }

describe('logs', () => {
  it('keeps the bytes of each stream in a file of its own', async () => {
    const talks: Program = (self) => {
      self.write('one\ntwo')
      self.write(new Uint8Array([0xff, 0x00]), 'stderr')
    }
    await using sim = await simulate([logs], { 'api.v2': { command: 'x' } }, { programs: { 'api.v2': talks } })
    expect(sim.world.files.text('logs/api.v2/0/stdout.log')).toBe('one\ntwo')
    expect(sim.world.files.find('logs/api.v2/0/stderr.log')?.read()).toEqual(new Uint8Array([0xff, 0x00]))
  })

  it('gives every replica its files, and every instance its lines', async () => {
    await using sim = await simulate(
      [logs],
      { api: { command: 'x', replicas: 2 } },
      { programs: { api: prints('hello\n') } },
    )
    await sim.finish(sim.system.restart({ names: ['api'] }))
    await sim.clock.settle()
    expect(shown(await ask(sim, 'logs.read')).sort()).toEqual([
      'api-1 stdout hello',
      'api-2 stdout hello',
      'api-3 stdout hello',
      'api-4 stdout hello',
    ])
    expect(sim.world.files.text('logs/api/1/stdout.log')).toBe('hello\nhello\n')
  })

  it('ends a line where an instance ends, though the program did not', async () => {
    const services = { api: { command: 'x', restart_policy: 'always' as const, backoff: '1s' } }
    await using sim = await simulate([logs, restart], services, { programs: { api: prints('boom') } })
    await sim.service('api').exit({ code: 1 })
    await sim.clock.advance(1_000)
    expect(sim.world.files.text('logs/api/0/stdout.log')).toBe('boomboom')
    expect(shown(await ask(sim, 'logs.read'))).toEqual(['api-1 stdout boom', 'api-2 stdout boom'])
  })

  it('gives the last lines of a run to whoever asks why it ended', async () => {
    const talks: Program = (self) => {
      self.write(Array.from({ length: 30 }, (_, at) => `line ${at}\n`).join(''))
      self.write('port 5432 in use', 'stderr')
      self.exit(1)
    }
    await using sim = await simulate([logs], { db: { command: 'x' } }, { programs: { db: talks } })
    expect(sim.service('db').reason).toBe('exit code 1, `port 5432 in use`')
    const lines = sim.service('db').view.last_lines
    expect(lines).toHaveLength(10)
    expect(lines).toEqual(expect.arrayContaining(['line 29', 'port 5432 in use']))
  })

  it('never shows the last words of an older run', async () => {
    const services = { api: { command: 'x', restart_policy: 'always' as const, backoff: '1s' } }
    await using sim = await simulate([logs, restart], services, { programs: { api: prints('old words\n') } })
    sim.service('api').runs((self) => self.exit(3))
    await sim.service('api').exit({ code: 1 })
    await sim.clock.advance(1_000)
    expect(sim.service('api').view.last_lines).toEqual([])
  })

  it('lets a candidate write beside the one that serves, without mixing their lines', async () => {
    await using sim = await simulate(
      [logs, rolling({ graceMs: 0 })],
      { api: { command: 'x' } },
      { programs: { api: ticks(100) } },
    )
    for (let deploy = 0; deploy < 3; deploy++) await sim.finish(sim.system.restart({ names: ['api'] }))
    await sim.clock.advance(1_000)
    expect(sim.world.files.list('logs/api')).toEqual(['0', '0.1'])
    const lines = shown(await ask(sim, 'logs.read', { services: ['api'], lines: 1_000 }))
    for (const id of ['api-1', 'api-2', 'api-3', 'api-4']) {
      const own = lines.filter((line) => line.startsWith(`${id} `))
      expect(own.length).toBeGreaterThan(2)
      expect(own).toEqual(own.map((_, at) => `${id} stdout ${at}`))
    }
  })

  it('loses and doubles no line when the supervisor is killed, whichever lane an instance is in', async () => {
    await using sim = await simulate(
      [store, logs, rolling({ graceMs: 0 })],
      { api: { command: 'x' } },
      { programs: { api: ticks(10) } },
    )
    await sim.finish(sim.system.restart({ names: ['api'] }))
    for (let kill = 0; kill < 3; kill++) {
      await sim.clock.advance(1_003)
      sim.crash()
      await sim.clock.advance(500)
      await sim.boot()
    }
    await sim.clock.advance(1_000)
    const lines = shown(await ask(sim, 'logs.read', { lines: 10_000 })).filter((line) => line.startsWith('api-2'))
    expect(lines.length).toBeGreaterThan(400)
    expect(lines).toEqual(lines.map((_, at) => `api-2 stdout ${at}`))
    await sim.finish(sim.system.restart({ names: ['api'] }))
    await sim.clock.advance(1_000)
    const next = shown(await ask(sim, 'logs.read', { instance: 'api-3', lines: 10_000 }))
    expect(next.length).toBeGreaterThan(50)
  })

  it('reads the last words of a program that ended while no supervisor ran', async () => {
    const services = { api: { command: 'x' } }
    await using sim = await simulate([store, logs], services, {
      programs: {
        api: (self) => {
          self.after(5_000, () => {
            self.write('farewell')
            self.exit(1)
          })
        },
      },
    })
    sim.crash()
    await sim.clock.advance(10_000)
    await sim.boot()
    await sim.clock.settle()
    expect(shown(await ask(sim, 'logs.read'))).toEqual(['api-1 stdout farewell'])
  })

  it('never stops a service because the disk is full, and says what was lost', async () => {
    await using sim = await simulate([logs], { api: { command: 'x' } }, { programs: { api: ticks(10) } })
    await sim.clock.advance(1_000)
    sim.world.faults.diskFreeBytes = 0
    await sim.clock.advance(1_000)
    expect(sim.service('api').state).toBe('running')
    expect(await ask(sim, 'logs.dropped')).toMatchObject([{ service: 'api', stream: 'stdout', lines: 100 }])
    sim.world.faults.diskFreeBytes = 1_000_000
    await sim.clock.advance(1_000)
    const of = (type: string) => sim.events.filter((event) => event.type === type).map(({ data }) => data)
    expect(of('logs.dropping')).toEqual([{ stream: 'stdout', reason: expect.stringContaining('ENOSPC') as string }])
    expect(of('logs.dropped')).toMatchObject([{ stream: 'stdout', lines: 100 }])
    const since = (await ask(sim, 'logs.read', { lines: 1_000 })) as readonly { line: string }[]
    expect(since.map(({ line }) => line)).not.toContain('150')
    expect(since.map(({ line }) => line)).toEqual(expect.arrayContaining(['99', '250', '300']))
  })

  it('tells every line that was lost, also of a disk that is full every other moment', async () => {
    await using sim = await simulate([logs], { api: { command: 'x' } }, { programs: { api: ticks(10) } })
    for (let round = 0; round < 10; round++) {
      sim.world.faults.diskFreeBytes = round % 2 === 0 ? 0 : 1_000_000
      await sim.clock.advance(500)
    }
    const told = () => sim.events.filter(({ type }) => type.startsWith('logs.'))
    expect(told().map(({ type }) => type)).toEqual(['logs.dropping', 'logs.dropped'])
    await sim.clock.advance(60_000)
    const lines = told().map(({ data }) => (data as { lines?: number }).lines ?? 0)
    const [{ lines: all }] = (await ask(sim, 'logs.dropped')) as readonly [{ lines: number }]
    expect(all).toBeGreaterThanOrEqual(245)
    expect(lines.reduce((sum, count) => sum + count, 0)).toBe(all)
  })

  it.each([
    ['none', ''],
    ['inherit', 'hello\n'],
  ] as const)('writes no file with the sink `%s`', async (sink, terminal) => {
    await using sim = await simulate(
      [logs],
      { api: { command: 'x', logs: { sink } } },
      { programs: { api: prints('hello\n') } },
    )
    await sim.clock.settle()
    expect(sim.world.files.list('logs')).toEqual([])
    expect(sim.world.terminal()).toBe(terminal)
  })

  it('takes what a service does not say from the system', async () => {
    await using sim = await simulate(
      [logs],
      { api: { command: 'x', logs: { max_files: 2 } }, db: { command: 'y', logs: { sink: 'file' } } },
      { programs: { api: ticks(1, 'x'.repeat(90)) }, system: { logs: { sink: 'file', max_bytes: '1K' } } },
    )
    await sim.clock.advance(1_000)
    expect(sim.world.files.list('logs/api/0').filter((name) => name.startsWith('stdout.log'))).toEqual([
      'stdout.log',
      'stdout.log.1',
    ])
  })

  it('follows without a gap and without a line twice, from any moment on', async () => {
    await using sim = await simulate([logs], { api: { command: 'x' } }, { programs: { api: ticks(1) } })
    sim.world.faults.latencyMs = (call) => (call.startsWith('files') ? 3 : 0)
    const followers = []
    for (let start = 0; start < 20; start++) {
      await sim.clock.advance(7)
      followers.push(follow(sim, { services: ['api'], lines: 5 }))
    }
    await sim.clock.advance(500)
    for (const { told, stop, done } of followers) {
      stop()
      await done
      const first = Number(told[0])
      expect(told.length).toBeGreaterThan(300)
      expect(told).toEqual(told.map((_, at) => String(first + at)))
    }
    sim.world.faults.latencyMs = undefined
  })

  it('goes on where another one stopped, at any moment and however much was written since', async () => {
    await using sim = await simulate(
      [logs],
      {
        api: { command: 'x' },
        db: { command: 'x', logs: { max_bytes: '1K', max_files: 1_000 } },
        late: { command: 'x' },
      },
      { programs: { api: ticks(1, 'a '.repeat(500)), db: ticks(7), late: prints('before\n') } },
    )
    const told: string[] = []
    let after: Record<string, string> | undefined
    sim.world.faults.latencyMs = (call) => (call.startsWith('files') ? 3 : 0)
    for (let round = 0; round < 15; round++) {
      const controller = new AbortController()
      const done = Promise.resolve(
        sim.system.registries.methods.get('logs.follow')?.(after === undefined ? { since: 0 } : { after }, {
          signal: controller.signal,
          notify: (_, params) => {
            const { records, cursors } = params as { records: { line: string }[]; cursors: Record<string, string> }
            told.push(...records.map(({ line }) => line))
            after = { ...after, ...cursors }
            return Promise.resolve()
          },
        }),
      )
      await sim.clock.advance(11 + round * 100)
      controller.abort()
      await sim.finish(done)
      await sim.clock.advance(round % 2 === 0 ? 1_500 : 3)
    }
    sim.world.faults.latencyMs = undefined
    const [api, db] = [told.filter((line) => line.startsWith('a ')), told.filter((line) => /^\d/.test(line))]
    expect(told.filter((line) => line === 'before')).toHaveLength(1)
    expect(api.length).toBeGreaterThan(15_000)
    expect(api.map((line) => Number(line.slice(1_000)))).toEqual(api.map((_, at) => at))
    expect(db).toEqual(db.map((_, at) => String(at)))
  })

  it('follows one kind, one service, one pattern', async () => {
    const talks: Program = (self) => {
      self.after(100, () => {
        self.write('out error\nout fine\n')
        self.write('err error\n', 'stderr')
      })
    }
    const programs = { api: talks, db: talks }
    await using sim = await simulate([logs], { api: { command: 'x' }, db: { command: 'y' } }, { programs, idle: true })
    const all = follow(sim, {})
    const some = follow(sim, { services: ['api'], kind: 'stdout', grep: 'error' })
    await sim.start()
    expect(all.told).toHaveLength(6)
    expect(some.told).toEqual(['out error'])
    for (const { stop, done } of [all, some]) {
      stop()
      await done
    }
  })

  it('tells a follower at once about an unfinished line that was written before', async () => {
    const talks: Program = (self) => {
      self.write('half')
      self.after(10_000, () => self.write(' whole\n'))
    }
    await using sim = await simulate([logs], { api: { command: 'x' } }, { programs: { api: talks } })
    const follower = follow(sim, { services: ['api'] })
    await sim.clock.advance(11_000)
    expect(follower.told).toEqual(['half whole'])
    follower.stop()
    await follower.done
  })

  it('refuses a service that nobody knows, but reads the logs of one that is gone', async () => {
    await using sim = await simulate([logs], { api: { command: 'x' } }, { programs: { api: prints('hi\n') } })
    await sim.finish(sim.system.apply(await sim.configOf({ db: { command: 'y' } })))
    expect(shown(await ask(sim, 'logs.read', { services: ['api'] }))).toEqual(['api-1 stdout hi'])
    await expect(ask(sim, 'logs.read', { services: ['nope'] })).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
  })

  it('clears what was written, and goes on', async () => {
    await using sim = await simulate([logs], { api: { command: 'x' } }, { programs: { api: ticks(1_000) } })
    await sim.clock.advance(3_500)
    await ask(sim, 'logs.clear', { services: ['api'] })
    expect(shown(await ask(sim, 'logs.read'))).toEqual([])
    await sim.clock.advance(1_000)
    expect(shown(await ask(sim, 'logs.read'))).toHaveLength(1)
  })

  it('lets other plugins write to files of their own beside those of a service', async () => {
    await using sim = await simulate([logs], { api: { command: 'x' } })
    await ask(sim, 'logs.append', { service: 'api', source: 'pre_start', text: 'migrating\ndone\n' })
    expect(sim.world.files.text('logs/api/0/pre_start.stdout.log')).toBe('migrating\ndone\n')
    expect(shown(await ask(sim, 'logs.read'))).toEqual(['pre_start stdout migrating', 'pre_start stdout done'])
  })

  it('shows what others write once to those who follow, bytes as they are, and no line run into the next', async () => {
    await using sim = await simulate([logs], { api: { command: 'x' } })
    const write = (params: object) => ask(sim, 'logs.append', { service: 'api', source: 'pre_start', ...params })
    await write({ text: 'first\n' })
    const following = follow(sim, { services: ['api'] })
    const chunk = new TextEncoder().encode('grü')
    const written = [chunk.subarray(0, 3), chunk.subarray(3)].map((bytes) =>
      sim.system.registries.methods.call('logs.append', { service: 'api', source: 'pre_start', bytes }),
    )
    chunk.fill(0)
    await sim.finish(Promise.all(written))
    await write({ end: true })
    await write({ text: 'second run' })
    await write({ end: true })
    await sim.clock.settle()
    expect(following.told).toEqual(['first', 'grü', 'second run'])
    following.stop()
    await sim.finish(following.done)
    expect(sim.world.files.text('logs/api/0/pre_start.stdout.log')).toBe('first\ngrüsecond run')
    expect(shown(await ask(sim, 'logs.read'))).toEqual([
      'pre_start stdout first',
      'pre_start stdout grü',
      'pre_start stdout second run',
    ])
  })

  it('lets them write for a service that has left the config, and for none that never was', async () => {
    const services = { api: { command: 'x' }, db: { command: 'x' } }
    await using sim = await simulate([logs], services, { programs: { api: ticks(1_000) } })
    await sim.clock.advance(1_500)
    await sim.finish(sim.system.apply(await sim.configOf({ db: { command: 'x' } })))
    const write = (service: string) => ask(sim, 'logs.append', { service, source: 'on_stop_success', text: 'bye\n' })
    await write('api')
    expect(sim.world.files.text('logs/api/0/on_stop_success.stdout.log')).toBe('bye\n')
    await expect(write('web')).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
  })

  it('keeps nothing of what others write for a service whose output is not kept', async () => {
    await using sim = await simulate([logs], { api: { command: 'x', logs: { sink: 'none' } } })
    await ask(sim, 'logs.append', { service: 'api', source: 'pre_start', text: 'migrating\n' })
    expect(shown(await ask(sim, 'logs.read'))).toEqual([])
  })

  it.each([
    [{ lines: -1 }, 'too_small', ['lines']],
    [{ kind: 'all of them' }, 'invalid_value', ['kind']],
    [{ since: 'yesterday' }, 'invalid_union', ['since']],
    [{ nonsense: 1 }, 'unrecognized_keys', []],
  ])('refuses the parameters %j', async (params, code, path) => {
    await using sim = await simulate([logs], { api: { command: 'x' } })
    await expect(ask(sim, 'logs.read', params)).rejects.toMatchObject({ issues: [{ code, path }] })
  })
})
