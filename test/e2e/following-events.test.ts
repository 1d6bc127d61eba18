/** `sysg events -f` while the supervisor is killed and comes back. */
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { expect, it } from 'vitest'
import { Sandbox, until } from './sysg.ts'

interface Seen {
  readonly seq: number
  readonly type: string
}

it('tells every event once and in order, those of the next supervisor too', async () => {
  await using box = new Sandbox()
  box.config('services: { api: { command: "sleep 1000" } }')
  await box.sysg('start', '-d')
  const follower = box.spawn(['events', '-f', '--json', '-l', 'all'])
  const errors: string[] = []
  follower.stderr?.on('data', (text: Buffer) => errors.push(text.toString()))
  if (follower.stdout === null) throw new Error('no stdout')
  const seen: Seen[] = []
  createInterface(follower.stdout).on('line', (line) => void seen.push(JSON.parse(line) as Seen))
  const stored = async (): Promise<readonly Seen[]> =>
    (await box.sysg('events', '--json', '-l', 'all'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Seen)
  const untilAllSeen = async (): Promise<void> => {
    const last = (await stored()).at(-1)?.seq ?? 0
    await until(
      () => seen.at(-1)?.seq ?? 0,
      (seq) => seq >= last,
    )
  }
  await untilAllSeen()
  for (let round = 0; round < 3; round++) {
    const { supervisor } = await box.status()
    process.kill(supervisor.pid, 'SIGKILL')
    await until(
      () => box.run('restart', '-s', 'api'),
      ({ code }) => code === 0,
    )
    await untilAllSeen()
  }
  follower.kill('SIGINT')
  expect(await once(follower, 'exit')).toEqual([0, null])
  const numbers = seen.map(({ seq }) => seq)
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
  const told = new Set(numbers)
  expect((await stored()).filter(({ seq }) => seq <= (numbers.at(-1) ?? 0) && !told.has(seq))).toEqual([])
  expect(seen.filter(({ type }) => type === 'service.exited')).toHaveLength(3)
  expect(errors.join('')).toBe('')
}, 90_000)
