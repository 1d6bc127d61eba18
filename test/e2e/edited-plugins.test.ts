/** Code of a config that was edited while the system ran. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { Sandbox, until, type Status } from './sysg.ts'

const plugin = (word: string): string => `export default {
  name: 'word',
  setup: ({ hooks }) => hooks.prepare.tap('word', (spec) => ({ ...spec, env: { ...spec.env, WORD: '${word}' } })),
}`

const config = `
services:
  api: { command: 'echo "$WORD" >> words; exec sleep 1000' }
plugins: [./word.mjs]
`

it('an edited plugin takes effect with a restart, under another supervisor', async () => {
  await using box = new Sandbox()
  box.config(config)
  box.file('word.mjs', plugin('old'))
  await box.sysg('start', '-d')
  const { pid: before } = (await box.status()).supervisor
  box.file('word.mjs', plugin('new'))
  expect(await box.run('restart')).toMatchObject({ code: 0, stderr: '' })
  await until(
    () => readFileSync(join(box.folder, 'words'), 'utf8'),
    (words) => words === 'old\nnew\n',
  )
  expect((await box.status()).supervisor.pid).not.toBe(before)
  expect(await box.states()).toEqual({ api: 'running' })
})

it('a plugin that is listed for the first time takes effect with a restart, and stays over the death of the supervisor', async () => {
  await using box = new Sandbox()
  box.config(config.replace(/^plugins:.*$/m, ''))
  box.file('word.mjs', plugin('new'))
  await box.sysg('start', '-d')
  const { pid: before } = (await box.status()).supervisor
  box.config(config)
  expect(await box.run('start', '-d')).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/word\.mjs .*`sysg restart`/) as string,
  })
  expect(await box.run('restart')).toMatchObject({ code: 0, stderr: '' })
  const { pid: after } = (await box.status()).supervisor
  expect(after).not.toBe(before)
  process.kill(after, 'SIGKILL')
  await until(
    () => box.run('status', '--json'),
    ({ code, stdout }) => code === 0 && (JSON.parse(stdout) as Status).supervisor.pid !== after,
  )
  await box.sysg('restart', '-s', 'api')
  await until(
    () => readFileSync(join(box.folder, 'words'), 'utf8'),
    (words) => words === '\nnew\nnew\n',
  )
})

it('code that did not change, and code that does not load, leave the supervisor alone', async () => {
  await using box = new Sandbox()
  box.config(config)
  box.file('word.mjs', plugin('old'))
  await box.sysg('start', '-d')
  const { pid: supervisor } = (await box.status()).supervisor
  await box.sysg('restart')
  expect((await box.status()).supervisor.pid).toBe(supervisor)
  const service = await box.pid('api')
  box.file('word.mjs', 'throw new Error("half an edit")')
  expect(await box.run('restart')).toMatchObject({ code: 5, stderr: expect.stringContaining('half an edit') as string })
  expect((await box.status()).supervisor.pid).toBe(supervisor)
  expect(await box.pid('api')).toBe(service)
})
