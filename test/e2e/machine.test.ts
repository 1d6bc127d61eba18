/** When the machine misbehaves: a clear message with a stable code, no crash, and recovery when the cause is gone. */
import { execFileSync } from 'node:child_process'
import { chownSync, mkdirSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { cpuSeconds } from '../bench/cpu-seconds.ts'
import { canMount, mountSmall } from './small-disk.ts'
import { commandOf, isAlive, resultOf, Sandbox, until, type Status } from './sysg.ts'

const isRoot = process.getuid?.() === 0

if (!isRoot) console.warn('skipped: refused forks need root, to be another user')
const api = 'services: { api: { command: "sleep 1000", restart_policy: always, backoff: 200ms } }'

const stateOf = (box: Sandbox): string => {
  const [id = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  return join(box.home, id)
}

it('out of descriptors: services that need one wait and say why, commands are answered, and it heals', async () => {
  await using box = new Sandbox()
  const configOf = (count: number) =>
    `services: { ${Array.from({ length: count }, (_, at) => `s${at}: { command: "sleep 1000", restart_policy: always, backoff: 200ms }`).join(', ')} }`
  box.config(configOf(1))
  await box.sysg('start', '-d')
  const { pid } = (await box.status()).supervisor
  const limit = (soft: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`])
  const numbers = readdirSync(`/proc/${pid}/fd`).map(Number)
  // So many that some of the new services get theirs, also from the spare pipes, and the others none.
  limit(numbers.filter((fd) => fd < 200).length + 30)
  box.config(configOf(30))
  const { code, stderr } = await box.run('start', '-d', '--timeout', '5s')
  expect(code).not.toBe(0)
  expect(stderr).toContain('too many open files')
  expect(stderr).toContain('ulimit -n')
  const waiting = (await box.status()).services.filter(({ state }) => state !== 'running')
  expect(waiting.map(({ reason }) => reason).join()).toContain('too many open files')
  limit(1000)
  await until(
    () => box.states(),
    (states) => Object.values(states).every((state) => state === 'running'),
  )
  expect((await box.status()).supervisor.pid).toBe(pid)
})

it('with not one descriptor left who asks is answered; with fewer allowed, told why, and nobody spins', async () => {
  await using box = new Sandbox()
  box.config(api)
  await box.sysg('start', '-d')
  const { pid } = (await box.status()).supervisor
  const service = await box.pid('api')
  const limit = (soft: number) => execFileSync('prlimit', ['--pid', String(pid), `--nofile=${soft}:`])
  using visitors = await fillGaps(pid, join(stateOf(box), 'run', 'control.sock'))
  // From here on no new descriptor has a number that is allowed.
  limit(visitors.firstFree)
  expect(await box.states()).toEqual({ api: 'running' })
  limit(12)
  const silent = await box.run('status')
  expect(silent.stderr).toMatch(/did not answer within 10 s: it has \d+ file descriptors open and may have 12\./)
  expect(silent.stderr).toContain(`prlimit --pid ${pid} --nofile=1024`)
  // The connection still waits to be accepted.
  await until(
    () => cpuShare(pid),
    (share) => share < 0.1,
  )
  limit(1000)
  expect(await box.states()).toEqual({ api: 'running' })
  expect(await box.pid('api')).toBe(service)
})

/** Descriptors that are kept aside help only below the limit: visitors take the free numbers below them. */
const fillGaps = async (pid: number, path: string) => {
  const visitors: Socket[] = []
  const open = () => readdirSync(`/proc/${pid}/fd`).map(Number)
  const firstFree = () => Array.from({ length: 10_000 }, (_, at) => at).find((number) => !open().includes(number)) ?? 0
  const isSpare = (fd: number) => readlinkSync(`/proc/${pid}/fd/${fd}`) === '/dev/null'
  const lastSpare = Math.max(...open().filter(isSpare))
  for (let free = firstFree(); free < lastSpare; free = firstFree()) {
    visitors.push(connect(path))
    await until(firstFree, (now) => now > free)
  }
  return {
    firstFree: firstFree(),
    [Symbol.dispose]: () => {
      for (const socket of visitors) socket.destroy()
    },
  }
}

/** Of one CPU, over half a second. */
const cpuShare = async (pid: number): Promise<number> => {
  const [before, windowMs] = [cpuSeconds([pid]), 500]
  await pause(windowMs)
  return (cpuSeconds([pid]) - before) / (windowMs / 1_000)
}

it.runIf(isRoot)('fork refused: the service waits with the reason, and comes back when it may fork again', async () => {
  await using box = new Sandbox()
  box.config(api)
  const other = ['--reuid', '65534', '--regid', '65534', '--clear-groups']
  chownSync(box.folder, 65534, 65534)
  const asOther = (...args: readonly string[]) =>
    execFileSync('setpriv', [...other, ...args], {
      cwd: box.folder,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: box.folder, SYSG_HOME: box.home },
    })
  const sysg = (...args: readonly string[]) =>
    asOther(process.execPath, join(import.meta.dirname, '../../cli/bin/sysg.mjs'), ...args)
  const status = () => {
    try {
      return sysg('status', '--json')
    } catch (thrown) {
      return (thrown as { stdout: string }).stdout
    }
  }
  sysg('start', '-d')
  const { supervisor, services } = JSON.parse(status()) as { supervisor: { pid: number }; services: { pid: number }[] }
  asOther('prlimit', '--pid', String(supervisor.pid), '--nproc=1:')
  process.kill(services[0]?.pid ?? 0, 'SIGKILL')
  await until(status, (text) => text.includes('this user has too many processes (EAGAIN)'))
  asOther('prlimit', '--pid', String(supervisor.pid), '--nproc=4000:')
  await until(status, (text) => text.includes('"state":"running"') && text.includes(`"pid":${supervisor.pid}`))
  sysg('stop')
})

describe.runIf(canMount)('a full disk', () => {
  const onSmallDisk = async (box: Sandbox, body: (disk: string) => Promise<void>): Promise<void> => {
    const disk = join(box.folder, 'disk')
    mkdirSync(disk)
    const unmount = mountSmall(disk, '3m')
    try {
      box.environment = { SYSG_HOME: join(disk, 'state') }
      await body(disk)
    } finally {
      await box.run('stop')
      unmount()
    }
  }

  it('lets no supervisor hand over, and `upgrade` says so', async () => {
    await using box = new Sandbox()
    box.config(api)
    await onSmallDisk(box, async (disk) => {
      await box.sysg('start', '-d')
      const { supervisor } = await box.status()
      const service = await box.pid('api')
      writeFileSync(join(disk, 'more'), '')
      fill(join(disk, 'more'))
      const { code, stderr } = await box.run('upgrade', '--timeout', '5s')
      rmSync(join(disk, 'more'))
      expect([code, stderr]).toEqual([1, expect.stringContaining('SYSG_UPGRADE_FAILED')])
      expect((await box.status()).supervisor.pid).toBe(supervisor.pid)
      expect(await box.pid('api')).toBe(service)
    })
  }, 60_000)

  it('stops no service; what is asked is done, lost lines are counted, and state is written when there is room', async () => {
    await using box = new Sandbox()
    box.config(
      'services: { api: { command: "sleep 1000", restart_policy: always, backoff: 200ms }, loud: { command: "yes | head -c 8000000; exec sleep 1000" } }',
    )
    await onSmallDisk(box, async (disk) => {
      await box.sysg('start', '-d')
      writeFileSync(join(disk, 'more'), '')
      fill(join(disk, 'more'))
      const { supervisor } = await box.status()
      const before = await box.pid('api')
      process.kill(before, 'SIGKILL')
      const after = await until(
        () => box.service('api'),
        ({ state, pid }) => state === 'running' && pid !== null && pid !== before,
      )
      expect(await box.sysg('logs', '--kind', 'supervisor')).toContain('no space left on device (ENOSPC)')
      rmSync(join(disk, 'more'))
      await box.sysg('stop', '-s', 'loud')
      expect((await box.status()).supervisor.pid).toBe(supervisor.pid)
      expect(await box.pid('api')).toBe(after.pid)
    })
  })

  it('takes nothing from a supervisor that is killed meanwhile, nor from the next one', async () => {
    await using box = new Sandbox()
    box.config(`services: { api: { command: sleep 1000, sockets: ["unix://${join(box.folder, 'api.sock')}"] } }`)
    await onSmallDisk(box, async (disk) => {
      await box.sysg('start', '-d')
      const pid = await box.pid('api')
      fill(join(disk, 'more'))
      const kill = async () => {
        const { supervisor } = await box.status()
        process.kill(supervisor.pid, 'SIGKILL')
        return until(
          () => box.status(),
          (status) => ![null, supervisor.pid].includes((status.supervisor as Status['supervisor'] | null)?.pid ?? null),
        )
      }
      for (let round = 0; round < 2; round++)
        expect((await kill()).services.map((service) => service.pid)).toEqual([pid])
      rmSync(join(disk, 'more'))
      expect((await kill()).services.map((service) => service.pid)).toEqual([pid])
      await until(
        () => box.holders(),
        (holders) => holders.length === 1,
      )
      await box.sysg('stop')
      expect(box.holders()).toEqual([])
    })
  })

  it('lets no system start that never ran, and says so at once', async () => {
    await using box = new Sandbox()
    box.config(api)
    await onSmallDisk(box, async (disk) => {
      fill(join(disk, 'all'))
      for (const args of [['start', '-d'], ['start']]) {
        const { code, stderr } = await box.run(...args)
        expect(stderr).toMatch(/^error: The state folder .* can't be used: .*\[SYSG_STATE_FOLDER\]\n hint: Make room/m)
        expect(code).toBe(1)
      }
      rmSync(join(disk, 'all'))
      expect((await box.run('start', '-d')).code).toBe(0)
    })
  })
})

describe('a database', () => {
  it.each(['state.db', 'history.db'])(
    '%s that is damaged is set aside, which the log says, and the system starts',
    async (name) => {
      await using box = new Sandbox()
      box.config(api)
      await box.sysg('start', '-d')
      await box.sysg('stop')
      const path = join(stateOf(box), name)
      truncateSync(path, 0)
      writeFileSync(path, 'no database. '.repeat(1000))
      await box.sysg('start', '-d')
      expect(await box.states()).toEqual({ api: 'running' })
      expect(await box.sysg('logs', '--kind', 'supervisor')).toMatch(
        new RegExp(`warn .*${name} was damaged; it is kept as`),
      )
      expect(readdirSync(stateOf(box)).some((file) => file.startsWith(`${name}.corrupt-`))).toBe(true)
    },
  )

  it('that is damaged while services run makes no second copy of them', async () => {
    await using box = new Sandbox()
    box.config(`respawn: false\n${api}`)
    await box.sysg('start', '-d')
    const pid = await box.pid('api')
    const { supervisor } = await box.status()
    process.kill(supervisor.pid, 'SIGKILL')
    await until(
      () => isAlive(supervisor.pid),
      (alive) => !alive,
    )
    for (const name of readdirSync(stateOf(box))) if (/^state\.db/.test(name)) rmSync(join(stateOf(box), name))
    for (const holder of box.holders()) process.kill(holder, 'SIGKILL')
    for (const args of [['start', '-d'], ['start']]) {
      const { code, stderr } = await box.run(...args)
      expect(stderr).toContain(`pid ${pid}`)
      expect(stderr).toContain('SYSG_STATE_LOST')
      expect(code).toBe(1)
    }
    expect(isAlive(pid)).toBe(true)
    await box.sysg('purge')
    expect(isAlive(pid)).toBe(false)
    await box.sysg('start', '-d')
    expect(await box.states()).toEqual({ api: 'running' })
  })

  it('that is removed before its supervisor dies makes no second copy either', async () => {
    await using box = new Sandbox()
    box.config(api)
    await box.sysg('start', '-d')
    const pid = await box.pid('api')
    const { supervisor } = await box.status()
    for (const name of readdirSync(stateOf(box))) if (/^state\.db/.test(name)) rmSync(join(stateOf(box), name))
    process.kill(supervisor.pid, 'SIGKILL')
    const { code, stderr } = await until(
      () => box.run('start', '-d'),
      (result) => result.stderr.includes('SYSG_SUPERVISOR_DIED'),
    )
    expect(code).toBe(1)
    expect(stderr).toContain(`pid ${pid}`)
    expect(stderr).toContain('`sysg purge` ends them')
    expect((await box.run('stop')).stderr).toContain('SYSG_STATE_LOST')
    expect(isAlive(pid)).toBe(true)
    expect(box.processes().filter((one) => commandOf(one).startsWith('sleep 1000'))).toEqual([pid])
    await box.sysg('purge')
    expect(isAlive(pid)).toBe(false)
    await box.sysg('start', '-d')
    expect(await box.states()).toEqual({ api: 'running' })
  })

  it('of a newer systemg is refused by every command that needs it, and left as it is', async () => {
    await using box = new Sandbox()
    box.config(api)
    await box.sysg('start', '-d')
    await box.sysg('stop')
    const path = join(stateOf(box), 'state.db')
    const set = (version: number) => {
      const database = new DatabaseSync(path)
      database.exec(`PRAGMA user_version = ${version}`)
      database.close()
    }
    set(99)
    for (const args of [['start', '-d'], ['start'], ['status'], ['purge']]) {
      const { stderr } = await box.run(...args)
      expect([args, stderr]).toEqual([args, expect.stringContaining('SYSG_STATE_NEWER')])
    }
    set(1)
    await box.sysg('start', '-d')
    expect(await box.states()).toEqual({ api: 'running' })
  })
})

it('without HOME, and in a folder whose path is too long for a socket, everything works', async () => {
  await using box = new Sandbox()
  box.config(api)
  const long = join(box.home, 'x'.repeat(150))
  box.environment = { SYSG_HOME: long }
  await box.sysg('start', '-d')
  expect(await box.states()).toEqual({ api: 'running' })
  await box.sysg('stop')
  // A home of its own: without HOME state goes to /var/tmp/systemg-<uid>, which belongs to whoever runs the tests.
  const script = `unset HOME; exec "$0" "$@"`
  const bin = join(import.meta.dirname, '../../cli/bin/sysg.mjs')
  const run = `const { status, stdout, stderr } = require('child_process').spawnSync('/bin/sh', ['-c', ${JSON.stringify(script)}, process.execPath, ${JSON.stringify(bin)}, 'status', '-p', 'nobody-has-this'], { encoding: 'utf8', env: { PATH: process.env.PATH } }); process.stdout.write(status + stdout + stderr)`
  const { stdout } = await resultOf(box.spawnNode(['-e', run]))
  expect(stdout).toMatch(/^3error: No supervisor runs for `nobody-has-this`/)
})

/** Write until nothing more fits. */
const fill = (path: string): void => {
  for (const size of [64 * 1024, 4096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // It is full for pieces of this size.
    }
  }
}
