/** After a stop nothing of a service lives, however hard it tries: its processes fork, change sessions and forget whose they are. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { commandOf, isAlive, Sandbox, until } from './sysg.ts'

const programs = join(import.meta.dirname, 'programs')

/** Processes that run this program or were started by it, by their command. */
const living = (mark: string): readonly number[] =>
  readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 1 && isAlive(pid) && commandOf(pid).includes(mark))

describe.each([
  { title: 'with a cgroup, where there is one', environment: {} },
  { title: 'without a cgroup', environment: { SYSG_CGROUPS: 'off' } },
])('$title', ({ environment }) => {
  it('ends chains of processes that each start the next in another session and end', async () => {
    await using box = new Sandbox()
    box.environment = environment
    const ended = join(box.folder, 'ended')
    box.config(`services: { hops: { command: "${join(programs, 'hops.sh')} 4 20000 ${ended}", stop_timeout: 100ms } }`)
    await box.sysg('start', '-d')
    const { code, stderr } = await box.run('stop')
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(living(ended)).toEqual([])
    expect(existsSync(ended)).toBe(false)
  })

  it('ends one that only begins to breed when it is told to stop', async () => {
    await using box = new Sandbox()
    box.environment = environment
    const lines = join(box.folder, 'lines')
    box.config(`services: { breeds: { command: "${join(programs, 'breeds.sh')} 400 ${lines}", stop_timeout: 300ms } }`)
    await box.sysg('start', '-d')
    await until(
      () => box.run('logs', 'breeds', '--no-prefix'),
      ({ stdout }) => stdout.includes('ready'),
    )
    const { code, stderr } = await box.run('stop')
    expect({ code, stderr }).toMatchObject({ code: 0 })
    expect(box.processes()).toEqual([])
    expect(living('breeds.sh')).toEqual([])
  })
})
