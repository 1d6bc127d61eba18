import type { ControlMethod } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { showLive } from '../../../cli/src/live/live-status.ts'
import { stateRoot, untilAborted, type Home } from '../commands/fake-supervisor.ts'
import { fakeTerminal } from '../terminal/fake-terminal.ts'
import { service } from '../terminal/services.ts'
import { fakePort } from './fake-port.ts'

const status =
  (...names: readonly string[]): ControlMethod =>
  () => ({
    project: { id: 'shop', config: null },
    supervisor: { pid: 4711, version: '0.1.0', started_at: new Date().toISOString() },
    services: names.map((name) => service(name, { instances: [] })),
  })

const following: ControlMethod = (_params, call) => untilAborted(call.signal)

const show = (home: Home, names: readonly string[] = [], everyMs = 3_600_000) => {
  const port = fakePort()
  return {
    port,
    done: showLive({ terminal: fakeTerminal({ interactive: true }) }, { paths: home.paths, names, everyMs }, port),
  }
}

describe('the live status', () => {
  it('looks when something happened, and otherwise asks nothing', async () => {
    await using home = stateRoot()
    let happen = () => undefined as void
    const supervisor = await home.supervise({
      status: status('api', 'db'),
      'events.follow': async (_params, call) => {
        happen = () => void call.notify('event', { seq: 1, type: 'service.ready', service: 'api' })
        await untilAborted(call.signal)
      },
    })
    const { port, done } = show(home)
    await port.shows('2 services: 2 running')
    const looks = () => supervisor.calls.filter(({ method }) => method === 'status').length
    expect(looks()).toBe(1)
    for (let at = 0; at < 50; at++) happen()
    await expect.poll(looks).toBe(2)
    port.type('q')
    expect(await done).toBe(0)
    expect(looks()).toBe(2)
    expect(supervisor.calls.find(({ method }) => method === 'events.follow')?.params).toEqual({ limit: 0 })
    await expect.poll(() => supervisor.connections).toBe(0)
  })

  it('looks every so often where no events are told', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ status: status('api') })
    const { port, done } = show(home, [], 100)
    await expect.poll(() => supervisor.calls.filter(({ method }) => method === 'status').length).toBeGreaterThan(3)
    port.type('\u0003')
    expect(await done).toBe(0)
  })

  it('says that the supervisor is gone, and goes on with the next one', async () => {
    await using home = stateRoot()
    const first = await home.supervise({ status: status('api'), 'events.follow': following })
    const { port, done } = show(home)
    await port.shows('1 service: 1 running')
    await first.end()
    await port.shows('waiting for')
    await home.supervise({ status: status('api', 'new'), 'events.follow': following })
    await port.shows('2 services')
    port.hangUp()
    expect(await done).toBe(0)
  })

  it('shows just the services that were named, and refuses one that is not there', async () => {
    await using home = stateRoot()
    await home.supervise({ status: status('api', 'db'), 'events.follow': following })
    const { port, done } = show(home, ['db'])
    await port.shows('1 service: 1 running')
    expect(port.written).not.toContain('api')
    port.type('q')
    await done
    await expect(show(home, ['dbb']).done).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
  })

  it('restarts after a yes, and says what came of it', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({
      status: status('api'),
      'events.follow': following,
      restart: () => ({ ok: false, problems: [{ message: 'The deploy of `api` failed.' }], warnings: [] }),
    })
    const { port, done } = show(home)
    await port.shows('1 service')
    port.type('ry')
    await port.shows('The deploy of `api` failed.')
    expect(supervisor.calls.find(({ method }) => method === 'restart')?.params).toEqual({ services: ['api'] })
    port.type('s')
    await port.shows('stop api?')
    port.type('y')
    // This supervisor knows no stop: that is told, and nothing ends.
    await port.shows('stop')
    await expect.poll(() => port.written).toMatch(/method/i)
    port.type('q')
    expect(await done).toBe(0)
  })

  it('follows logs from where they were when another supervisor comes', async () => {
    await using home = stateRoot()
    const logs =
      (line: string): ControlMethod =>
      async (_params, call) => {
        const time = '2026-01-31T12:00:00.000Z'
        const record = { time, service: 'api', instance: 'api-1', stream: 'stdout', line }
        await call.notify('log', { records: [record], cursors: { 'api/0/stdout': line } })
        await untilAborted(call.signal)
      }
    const methods = { status: status('api'), 'events.follow': following }
    const first = await home.supervise({ ...methods, 'logs.follow': logs('before') })
    const { port, done } = show(home)
    await port.shows('1 service')
    port.type('l')
    await port.shows('before')
    await first.end()
    await port.shows('waiting for')
    const second = await home.supervise({ ...methods, 'logs.follow': logs('after') })
    await port.shows('after')
    const followed = second.calls.find(({ method }) => method === 'logs.follow')
    expect(followed?.params).toMatchObject({ after: { 'api/0/stdout': 'before' } })
    port.type('qq')
    expect(await done).toBe(0)
  })
})
