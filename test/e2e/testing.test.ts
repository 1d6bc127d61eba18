/** A system as a fixture of other people's tests. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { start } from '../../cli/src/testing.ts'
import { isAlive } from './sysg.ts'

const folder = mkdtempSync(join(tmpdir(), 'sysg-fixture-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('a system under test', () => {
  it('is ready when it has started, and gone with its state when it is disposed of', async () => {
    let pid = 0
    {
      await using system = await start(
        {
          services: {
            db: { command: 'echo "db in $PWD"; exec sleep 1000' },
            api: { command: 'sleep 1000', depends_on: ['db'] },
          },
        },
        { folder },
      )
      const { state, pid: found } = await system.service('api')
      pid = found ?? 0
      expect([state, isAlive(pid)]).toEqual(['running', true])
      expect(await system.logs('db')).toContain(`db in ${folder}`)
      expect(await system.sysg('restart', 'api')).toMatchObject({ code: 0 })
      await expect(system.service('web')).rejects.toMatchObject({ code: 'SYSG_SERVICE_UNKNOWN' })
    }
    expect(isAlive(pid)).toBe(false)
    expect(readdirSync(folder)).toEqual([])
  })

  it('comes beside others in the same folder', async () => {
    const services = { api: { command: 'sleep 1000' } }
    await using one = await start({ services }, { folder })
    await using other = await start({ services }, { folder })
    expect((await one.service('api')).pid).not.toBe((await other.service('api')).pid)
  })

  it('takes plugins by the paths of that folder, and refuses what cannot get there', async () => {
    writeFileSync(
      join(folder, 'answer.mjs'),
      `export default { name: 'answer', setup: ({ hooks }) =>
        hooks.prepare.tap('answer', (spec) => ({ ...spec, env: { ...spec.env, ANSWER: '42' } })) }`,
    )
    const services = { api: { command: 'echo "the answer is $ANSWER"' } }
    await using system = await start({ plugins: ['./answer.mjs'], services }, { folder })
    expect(await system.logs('api')).toContain('the answer is 42')
    await expect(start({ plugins: [{ name: 'object' }], services }, { folder })).rejects.toMatchObject({
      code: 'SYSG_TEST_PLUGIN',
    })
  })

  it('that does not start says why, with what its services wrote, and leaves nothing', async () => {
    const starting = start({ services: { api: { command: 'echo "no port"; exit 7' } } }, { folder })
    await expect(starting).rejects.toThrow(/did not start[\s\S]*exit code 7[\s\S]*no port/)
    expect(readdirSync(folder).filter((name) => name.startsWith('.sysg'))).toEqual([])
  })

  it('shows its logs when the test has failed', async () => {
    const failed: (() => void)[] = []
    const onTestFailed = (callback: () => void) => failed.push(callback)
    const system = await start(
      { services: { api: { command: 'echo "what happened"; exec sleep 1000' } } },
      { folder, onTestFailed },
    )
    await expect.poll(() => system.logs()).toContain('what happened')
    await system.stop()
    const shown: string[] = []
    const write = process.stderr.write.bind(process.stderr)
    process.stderr.write = (text: string | Uint8Array) => shown.push(String(text)) > 0
    try {
      failed.forEach((callback) => callback())
    } finally {
      process.stderr.write = write
    }
    expect(shown.join('')).toContain('what happened')
    expect(existsSync(folder)).toBe(true)
  })
})
