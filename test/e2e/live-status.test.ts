/** `sysg status --stream` on a terminal. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { hasScript, Pty } from './pty.ts'
import { commandOf, isAlive, Sandbox, until } from './sysg.ts'

const bin = fileURLToPath(new URL('../../cli/bin/sysg.mjs', import.meta.url))
const sysg = `exec ${process.execPath} ${bin}`

const config = `
services:
  db: { command: sleep 1000 }
  api: { command: "echo ready to serve; exec sleep 1000", depends_on: [db] }
`

const begin = async (
  options = {},
  command = `${sysg} status --stream 1s`,
  begun: (lines: string) => boolean = (lines) => lines.includes('2 services: 2 running'),
) => {
  const sandbox = new Sandbox()
  sandbox.config(config)
  await sandbox.sysg('start', '-d')
  const pty = new Pty(sandbox, command, options)
  await pty.shows(begun)
  const dispose = async () => {
    pty.kill()
    await sandbox[Symbol.asyncDispose]()
  }
  return { sandbox, pty, [Symbol.asyncDispose]: dispose }
}

/** The terminal is as it was before. */
const isGivenBack = (pty: Pty): boolean => {
  const { isOther, hasCursor, wraps } = pty.screen
  return !isOther && hasCursor && wraps
}

/** The process that has the view, not the shell that started it. */
const viewPid = (sandbox: Sandbox): Promise<number> =>
  until(
    () => sandbox.processes().find((pid) => commandOf(pid).startsWith(`${process.execPath} ${bin} status`)) ?? 0,
    (pid) => pid > 0,
  )

const itLive = it.skipIf(!hasScript)

itLive('shows services, their logs and one of them, and ends with 0 and the terminal as it was', async () => {
  await using live = await begin()
  const { pty } = live
  expect(pty.screen).toMatchObject({ isOther: true, hasCursor: false })
  pty.type('j')
  await pty.shows((lines) => /^> api/m.test(lines))
  pty.type('l')
  await pty.shows((lines) => lines.includes('logs of api') && lines.includes('ready to serve'))
  pty.type('\u001B')
  await pty.shows((lines) => /^> api/m.test(lines))
  pty.type('\r')
  await pty.shows((lines) => /^COMMAND$/m.test(lines))
  pty.type('qq')
  expect(await pty.ended).toBe(0)
  expect(isGivenBack(pty)).toBe(true)
})

itLive('`inspect --stream` is the same view of one service, and can be scrolled', async () => {
  await using live = await begin({}, `${sysg} inspect api/0 --stream 1s`, (lines) => /^COMMAND$/m.test(lines))
  const { pty } = live
  await pty.shows((lines) => lines.includes('instance api-1') && lines.includes('q quit'))
  pty.type('G')
  await pty.shows((lines) => lines.includes('stop_timeout: 10s'))
  pty.type('q')
  expect(await pty.ended).toBe(0)
  expect(isGivenBack(pty)).toBe(true)
})

itLive('restarts and stops what is selected, when somebody says yes', async () => {
  await using live = await begin()
  const { pty, sandbox } = live
  const before = await sandbox.pid('db')
  pty.type('r')
  await pty.shows((lines) => lines.includes('restart db? y / n'))
  pty.type('y')
  await pty.shows((lines) => lines.includes('db is restarted.'))
  expect(await sandbox.pid('db')).not.toBe(before)
  pty.type('sy')
  await pty.shows((lines) => /^> db +stopped/m.test(lines) && lines.includes('`api` depends on what you stopped'))
  pty.type('s')
  await pty.shows((lines) => /^> db +running/m.test(lines))
})

itLive('says that the supervisor is gone, and goes on with the next one', async () => {
  await using live = await begin()
  const { pty, sandbox } = live
  const { supervisor } = await sandbox.status()
  process.kill(supervisor.pid, 'SIGKILL')
  await until(
    () => pty.raw,
    (raw) => raw.includes('The supervisor is gone'),
  )
  await pty.shows((lines) => /supervisor \d+, up/.test(lines) && !lines.includes(`supervisor ${supervisor.pid},`))
  await sandbox.sysg('stop')
  await pty.shows((lines) => lines.includes('The supervisor has ended'))
  await sandbox.sysg('start', '-d')
  await pty.shows((lines) => /supervisor \d+, up/.test(lines) && lines.includes('2 running'))
})

itLive('fits a terminal that gets another size', async () => {
  await using live = await begin({ columns: 120, rows: 20 })
  const { pty } = live
  pty.resize(44, 5)
  const lines = (await pty.shows((text) => text.split('\n').length <= 5 && text.includes('db'))).split('\n')
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(44)
  pty.type('j')
  await pty.shows((text) => /^> api/m.test(text))
})

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 0],
] as const)
  itLive(`gives the terminal back when ${signal} ends it`, async () => {
    await using live = await begin()
    const { pty, sandbox } = live
    process.kill(await viewPid(sandbox), signal)
    expect(await pty.ended).toBe(code)
    expect(isGivenBack(pty)).toBe(true)
  })

itLive('gives the terminal back while it is suspended, and takes it again', async () => {
  const shell = `exec bash --norc --noprofile -i`
  await using sandbox = new Sandbox()
  sandbox.config(config)
  await sandbox.sysg('start', '-d')
  const pty = new Pty(sandbox, shell)
  pty.type(`${process.execPath} ${bin} status --stream 1s\n`)
  await pty.shows((lines) => lines.includes('2 services: 2 running'))
  pty.type('\u001A')
  await pty.shows((lines) => lines.includes('Stopped'))
  expect(isGivenBack(pty)).toBe(true)
  const pid = await viewPid(sandbox)
  pty.type('fg\n')
  await pty.shows((lines) => lines.includes('2 services: 2 running'))
  expect(pty.screen.isOther).toBe(true)
  pty.type('q')
  await until(
    () => !isAlive(pid) && isGivenBack(pty),
    (isOver) => isOver,
  )
  pty.type('exit\n')
  await pty.ended
})

itLive('goes on where nobody could continue it', async () => {
  await using live = await begin()
  const { pty } = live
  pty.type('\u001A')
  await until(
    () => pty.raw,
    (raw) => raw.split('\u001B[?1049h').length === 3,
  )
  pty.type('j')
  await pty.shows((lines) => /^> api/m.test(lines))
})

itLive('ends when its terminal is gone', async () => {
  await using live = await begin()
  const { pty, sandbox } = live
  const pid = await viewPid(sandbox)
  pty.kill()
  await until(
    () => isAlive(pid),
    (alive) => !alive,
  )
})

itLive('has no colours with NO_COLOR, and shows what is selected all the same', async () => {
  await using live = await begin({ env: { NO_COLOR: '1' } })
  const { pty } = live
  expect(pty.raw).not.toMatch(/\u001B\[[\d;]*m/)
  expect(pty.screen.lines.join('\n')).toMatch(/^> db/m)
})
