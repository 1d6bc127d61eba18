import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { cgroupMount, Cgroups, findCgroupBase, ownCgroup } from '../../../cli/src/host/cgroups.ts'
import { projectCgroups } from '../../../cli/src/host/project-cgroups.ts'
import { createProcesses } from '../../../cli/src/host/processes.ts'
import { testFolder, until } from './node-host-for-tests.ts'

const token = 'ab12'
const launch = { argv: ['/bin/sh', '-c', 'true'] as const, env: { A: 'b' }, cwd: '/' }

describe('where groups can be made', () => {
  it.each([
    { text: '0::/user.slice/app.scope\n', own: '/user.slice/app.scope' },
    { text: '4:memory:/x\n0::/\n', own: '/' },
    { text: '4:memory:/x\n', own: undefined },
    { text: '0::/../outside\n', own: undefined },
  ])('is read out of $text', ({ text, own }) => {
    expect(ownCgroup(text)).toBe(own)
  })

  it('is below the mount of version 2, whatever its name', () => {
    const mounts = 'cgroup /sys/fs/cgroup/pids cgroup rw 0 0\ncgroup2 /sys/fs/a\\040b cgroup2 rw,nosuid 0 0\n'
    expect(cgroupMount(mounts)).toBe('/sys/fs/a b')
    expect(cgroupMount('cgroup /sys/fs/cgroup/pids cgroup rw 0 0\n')).toBeUndefined()
  })

  it('is nowhere when it is turned off', () => {
    expect(findCgroupBase({ SYSG_CGROUPS: 'off' })).toBeUndefined()
  })
})

describe('a group', () => {
  /** A folder like that of a cgroup: the kernel makes the files in real ones. */
  const faked = () => {
    const base = testFolder()
    const folder = join(base, token)
    const cgroups = new Cgroups(base)
    return { base, folder, cgroups }
  }

  it('is entered by the process itself, before its first instruction', () => {
    const { folder, cgroups } = faked()
    const entrance = cgroups.enter({ token }, launch)
    expect(existsSync(folder)).toBe(true)
    expect(entrance?.argv.slice(0, 2)).toEqual(['/bin/sh', '-c'])
    expect(entrance?.argv.slice(3)).toEqual([join(folder, 'cgroup.procs'), ...launch.argv])
  })

  it('says what the kernel has counted for it, once its root is in it', () => {
    const { folder, cgroups } = faked()
    const tree = { token, pid: 41 }
    expect(cgroups.account(tree)).toBeUndefined()
    cgroups.enter({ token }, launch)
    writeFileSync(join(folder, 'cgroup.procs'), '40\n42\n')
    writeFileSync(join(folder, 'cpu.stat'), 'usage_usec 1500\nuser_usec 1\n')
    expect(cgroups.account(tree)).toBeUndefined()
    writeFileSync(join(folder, 'cgroup.procs'), '41\n42\n')
    expect(cgroups.account(tree)).toEqual({ pids: [41, 42], cpuMs: 1.5, memoryBytes: undefined })
    writeFileSync(join(folder, 'memory.current'), '5000\n')
    expect(cgroups.account(tree)?.memoryBytes).toBe(5000)
    writeFileSync(join(folder, 'memory.stat'), 'anon 3000\ninactive_file 1200\n')
    expect(cgroups.account(tree)?.memoryBytes).toBe(3800)
  })

  it.each([
    { why: 'a shell would drop a variable', more: { env: { 'discovery.type': 'x' } } },
    { why: 'the program is not there', more: { argv: ['/no/such'] as const } },
    { why: 'the folder is not there', more: { cwd: '/no/such' } },
  ])('is entered from outside when $why', ({ more }) => {
    const { folder, cgroups } = faked()
    const entrance = cgroups.enter({ token }, { ...launch, ...more })
    expect(entrance?.argv).toEqual(more.argv ?? launch.argv)
    writeFileSync(join(folder, 'cgroup.procs'), '')
    entrance?.entered(123)
    expect(readFileSync(join(folder, 'cgroup.procs'), 'utf8')).toBe('123')
  })

  it('holds everybody in it and in the groups below it, and is killed as one', () => {
    const { folder, cgroups } = faked()
    cgroups.enter({ token }, launch)
    mkdirSync(join(folder, 'below'))
    writeFileSync(join(folder, 'cgroup.procs'), '10\n11\n')
    writeFileSync(join(folder, 'below', 'cgroup.procs'), '12\n')
    expect(cgroups.pidsOf({ token })).toEqual([10, 11, 12])
    expect(cgroups.kill({ token })).toBe(false)
    writeFileSync(join(folder, 'cgroup.kill'), '')
    expect(cgroups.kill({ token })).toBe(true)
    expect(readFileSync(join(folder, 'cgroup.kill'), 'utf8')).toBe('1')
  })

  it('is told once when it cannot be made, and the program is started without', () => {
    const told: string[] = []
    const cgroups = new Cgroups('/no/such/folder', { trace: (_level, message) => void told.push(message) })
    expect(cgroups.enter({ token }, launch)).toBeUndefined()
    expect(cgroups.enter({ token: 'cd34' }, launch)).toBeUndefined()
    expect(told).toHaveLength(1)
    expect(cgroups.pidsOf({ token })).toEqual([])
  })

  it('takes no name that is no token', () => {
    const { base, cgroups } = faked()
    expect(cgroups.enter({ token: '../x' }, launch)).toBeUndefined()
    expect(existsSync(join(base, '..', 'x'))).toBe(false)
  })
})

const base = findCgroupBase({})
if (base === undefined) console.warn('skipped: real cgroups, which this user may not make here')

describe.skipIf(base === undefined)('on a machine where groups can be made', () => {
  it('finds and ends one that has left its session, its parents and its environment, and removes the group', async () => {
    const folder = testFolder()
    const group = projectCgroups(folder, {}, () => undefined)
    const processes = createProcesses(() => undefined, { cgroups: group })
    const own = `test${process.pid}`
    const pidFile = join(folder, 'pid')
    const escape = `env -i setsid /bin/sh -c 'echo $$ >${pidFile}; exec sleep 1000' & exec true`
    const spec = { argv: ['/bin/sh', '-c', escape] as const, env: { PATH: process.env['PATH'] ?? '' }, cwd: folder }
    const started = await processes.spawn({ ...spec, stdout: 'null', stderr: 'null', inherit: [], token: own })
    if ('errno' in started) throw new Error(started.message)
    await started.exited
    // The shell makes the file before it writes to it.
    const pid = await until(() => (existsSync(pidFile) && Number(readFileSync(pidFile, 'utf8'))) || undefined)
    expect((await processes.members(started.tree)).map((one) => one.pid)).toEqual([pid])
    expect(await processes.signal(started.tree, 'SIGKILL')).toBe(1)
    await processes.gone(started.tree, new AbortController().signal)
    const groups = readFileSync(join(folder, 'run', 'cgroup'), 'utf8')
    expect(existsSync(groups)).toBe(true)
    expect(existsSync(join(groups, own))).toBe(false)
    group.tidy()
    expect(existsSync(groups)).toBe(false)
    processes.dispose()
  })
})
