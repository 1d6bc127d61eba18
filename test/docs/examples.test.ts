/** What the pages show must work. */
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { parseYaml, resolveConfig, type PluginApi, type ServiceConfig } from '@systemg/core'
import { pluginContract, simulate } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { firstPartyPlugins } from '../../cli/src/first-party.ts'
import { accessFor, createRegistries } from '../../core/src/registries.ts'
import { testHost } from '../cli/host/node-host-for-tests.ts'
import canary from './canary.ts'
import quietHours from './quiet-hours.ts'
import quietNights from './quiet-nights.ts'
import redisProbe from './redis-probe.ts'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const here = fileURLToPath(new URL('./', import.meta.url))

const blocks = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
  .flatMap((page) =>
    [...readFileSync(`${docs}${page}`, 'utf8').matchAll(/```(\w+)\n([\s\S]*?)```/g)].map((found) => ({
      page,
      language: found[1] ?? '',
      text: found[2] ?? '',
    })),
  )

describe('a config on a page', () => {
  const configs = blocks.filter(({ language, text }) => language === 'yaml' && /^services:/m.test(text))

  it.each(configs)('of $page is one: $text', async ({ text }) => {
    /** Files that examples include or read. */
    const readText = (path: string) => Promise.resolve(path.endsWith('.yaml') ? 'command: x' : '')
    const parsed = await parseYaml({ text, file: '/srv/systemg.yaml', readText })
    const { problems } = await resolveConfig({
      ...parsed,
      file: '/srv/systemg.yaml',
      folder: '/srv',
      plugins: [...firstPartyPlugins(), { plugin: redisProbe }, { plugin: canary }, { plugin: quietNights }],
      env: {},
      readText,
      projectDefault: { id: 'docs', name: 'docs' },
    })
    expect(problems.map(({ message }) => message)).toEqual([])
  })
})

pluginContract(quietNights, { describe, it }, { service: { quiet_nights: {} } })

describe('the plugin on a page', () => {
  const files = readdirSync(here).filter((name) => /^[a-z-]+\.ts$/.test(name) && name !== 'quiet-nights.ts')

  it.each(files)('is the one that is tested here: %s', (name) => {
    const [, source = ''] = /^\/\*\*.*\*\/\n([\s\S]*)$/.exec(readFileSync(`${here}${name}`, 'utf8')) ?? []
    expect(blocks.map(({ text }) => text)).toContain(`// ${name}\n${source}`)
  })

  it('of an afternoon is the one that is tested here, in two pieces', () => {
    const pieces = blocks
      .filter(({ page, language }) => page === 'plugins/afternoon.md' && language === 'ts')
      .slice(0, 2)
    const source = readFileSync(`${here}quiet-nights.ts`, 'utf8').replace(/^.*\n/, '')
    expect(pieces.map(({ text }) => text).join('\n')).toBe(source)
  })

  it('leaves a service down at night, and brings it back by day', async () => {
    const services = { api: { command: 'x', restart_policy: 'always', quiet_nights: {} } } as const
    for (const [hour, state] of [
      [23, 'failed'],
      [5, 'failed'],
      [12, 'backoff'],
    ] as const) {
      const startMs = Date.UTC(2026, 0, 1, hour)
      await using sim = await simulate([quietNights, restart], services, { startMs })
      await sim.service('api').exit({ code: 1 })
      expect(sim.service('api').state).toBe(state)
    }
  })

  it('asks a Redis, and says what it answered otherwise', async () => {
    let answer = '+PONG\r\n'
    const server = createServer((socket) => void socket.on('data', () => socket.end(answer)))
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    const { port } = server.address() as AddressInfo
    await using test = testHost()
    const registries = createRegistries()
    redisProbe.setup?.({ host: test.host, ...accessFor(redisProbe, registries) } as unknown as PluginApi)
    const at = { options: { port }, signal: new AbortController().signal, answeredBy: undefined } as never
    await registries.probes.get('redis')?.(at)
    answer = '-LOADING\r\n'
    await expect(registries.probes.get('redis')?.(at)).rejects.toThrow('it answered -LOADING')
    await new Promise((resolve) => server.close(resolve))
  })

  it('is typed where a config is written', () => {
    const service = { command: 'redis-server', health_check: { redis: { port: 6379 } } } satisfies ServiceConfig
    // @ts-expect-error -- a port is a number
    const wrong = { command: 'x', health_check: { redis: { port: 'x' } } } satisfies ServiceConfig
    expect([service, wrong]).toHaveLength(2)
  })

  it('keeps a service down in its quiet hours, and leaves the others to their policy', async () => {
    const policy = { command: 'x', restart_policy: 'always' } as const
    await using sim = await simulate([restart, quietHours], {
      quiet: { ...policy, quiet_hours: { from: 0, to: 23 } },
      loud: { ...policy, quiet_hours: { from: 12, to: 23 } },
    })
    await sim.service('quiet').exit({ code: 1 })
    await sim.service('loud').exit({ code: 1 })
    expect(sim.service('quiet').reason).toBe('gave up: quiet hours; exit code 1')
    expect(sim.service('loud').state).toBe('backoff')
  })
})
