import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { RunSpec } from '@systemg/core'
import { readStat } from '../../../cli/src/host/process-stat.ts'
import { programs, testHost, until, type TestHost } from './node-host-for-tests.ts'

const runIn = ({ host, folder }: TestHost, argv: RunSpec['argv'], spec: Partial<RunSpec> = {}) =>
  host.run({
    argv,
    env: { PATH: process.env['PATH'] ?? '' },
    cwd: folder,
    signal: new AbortController().signal,
    ...spec,
  })

it('gives exit code and output, both streams, without the newline being touched', async () => {
  await using test = testHost()
  const result = await runIn(test, ['sh', '-c', 'echo out; sleep 0.05; echo err >&2; exit 7'])
  expect(result).toEqual({ exit: { code: 7, signal: null }, output: 'out\nerr\n' })
  expect(await runIn(test, ['sh', '-c', 'kill -9 $$'])).toMatchObject({ exit: { code: null, signal: 'SIGKILL' } })
})

it('gives the command exactly its environment, a mark, its folder, and nothing on stdin', async () => {
  await using test = testHost()
  const { output } = await runIn(test, ['sh', '-c', 'cat; pwd; env'], { env: { PATH: '/usr/bin:/bin', A: 'b' } })
  const lines = output.trim().split('\n')
  expect(lines[0]).toBe(test.folder)
  expect(lines).toContain('A=b')
  expect(lines.some((line) => /^SYSG_RUN=[0-9a-f]{32}$/.test(line))).toBe(true)
  expect(lines.some((line) => line.startsWith('HOME='))).toBe(false)
})

it('keeps the last bytes of much output, beginning with a whole character', async () => {
  await using test = testHost()
  const script = 'i=0; while [ $i -lt 20000 ]; do echo éünï; i=$((i+1)); done; printf end'
  const { output } = await runIn(test, ['sh', '-c', script], { keepBytes: 10 })
  expect(output).toBe('ünï\nend')
  const all = await runIn(test, ['head', '-c', '1000000', '/dev/zero'])
  expect(all.output).toHaveLength(64 * 1024)
})

it('says why a command could not be started', async () => {
  await using test = testHost()
  const missing = await runIn(test, ['no-such-program'])
  expect(missing.failure).toEqual({ errno: 'ENOENT', message: expect.stringMatching(/PATH/) as string })
  expect((await runIn(test, ['true'], { cwd: '/no/such' })).failure?.message).toMatch(/true can't run in \/no\/such/)
  expect((await runIn(test, ['/etc/passwd'])).failure?.errno).toBe('EACCES')
  expect((await runIn(test, ['true', 'x'.repeat(200_000)])).failure?.errno).toBe('E2BIG')
  expect((await runIn(test, ['true', 'a\0b'])).failure?.errno).toBe('EINVAL')
  expect((await runIn(test, ['true'], { signal: AbortSignal.abort() })).failure?.errno).toBe('ECANCELED')
})

it('ends the whole tree when it is called off, escaped processes too', async () => {
  await using test = testHost()
  const controller = new AbortController()
  const result = runIn(test, [join(programs, 'escapes-by-double-fork.sh'), 'escaped'], { signal: controller.signal })
  const path = join(test.folder, 'escaped')
  await until(async () => (await test.host.files.size(path)) !== undefined)
  const pid = Number(readFileSync(path, 'utf8'))
  controller.abort()
  expect(await result).toMatchObject({ exit: { code: null, signal: 'SIGKILL' } })
  expect(readStat(pid)?.isLiving ?? false).toBe(false)
})

it('does not take a service for its own tree when the command has the service’s token', async () => {
  await using test = testHost()
  const service = await test.start(['sleep', '1000'], { token: 'of-the-service' })
  const controller = new AbortController()
  const env = { PATH: process.env['PATH'] ?? '', SYSG_TOKEN: 'of-the-service' }
  const result = runIn(test, ['sh', '-c', 'echo >up; exec sleep 1000'], { env, signal: controller.signal })
  await until(async () => (await test.host.files.size(join(test.folder, 'up'))) !== undefined)
  controller.abort()
  await result
  expect(readStat(service.tree.pid)?.isLiving).toBe(true)
})

it('does not wait for a process that the command leaves in the background', async () => {
  await using test = testHost()
  const result = await runIn(test, ['sh', '-c', 'sleep 1000 & echo $!; exit 0'])
  expect(result.exit).toEqual({ code: 0, signal: null })
  const left = Number(result.output)
  expect(readStat(left)?.isLiving).toBe(true)
  process.kill(left, 'SIGKILL')
})
