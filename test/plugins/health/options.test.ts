import { definePlugin, jsonSchema, orderPlugins, parseYaml, resolveConfig, type Plugin } from '@systemg/core'
import { health } from '@systemg/plugins/health'
import { logs } from '@systemg/plugins/logs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { matcherOf } from '../../../plugins/src/health/pattern.ts'
import { filledIn } from '../../../plugins/src/health/placeholders.ts'

/** A third party's. */
const redis = definePlugin({
  name: 'redis-probe',
  probes: { redis: z.strictObject({ url: z.string(), password: z.string().optional() }).describe('A PING.') },
  setup: ({ registerProbe }) => registerProbe('redis', () => Promise.resolve()),
})

/** The older place, as the plugin that owns it has it. */
const deployment = definePlugin({
  name: 'deployment',
  service: ({ serviceKey }) => ({
    deployment: z.strictObject({ health_check: z.lazy(() => serviceKey('health_check') ?? z.never()) }).optional(),
  }),
})

const resolve = async (yaml: string, others: readonly Plugin[] = [redis, deployment]) => {
  const readText = () => Promise.resolve(undefined)
  const parsed = await parseYaml({ text: yaml, file: '/srv/systemg.yaml', readText })
  return resolveConfig({
    ...parsed,
    file: '/srv/systemg.yaml',
    folder: '/srv',
    plugins: orderPlugins([logs, health, ...others].map((plugin) => ({ plugin }))),
    env: {},
    readText,
    projectDefault: { id: 'test', name: 'test' },
  })
}

const check = async (text: string) => {
  const { system, problems } = await resolve(`services: { api: { command: x, health_check: ${text} } }`)
  return { check: system?.services['api']?.health_check, problems }
}

const defaults = {
  interval: 2_000,
  start_interval: 200,
  attempt_timeout: 5_000,
  total_timeout: 60_000,
  retries: 3,
  success_threshold: 1,
  liveness: true,
}

describe('a health check', () => {
  it.each([
    { text: '{ url: "http://x/" }', probe: 'url', options: { url: 'http://x/' } },
    {
      text: '{ url: "https://x/", expect_status: [200, 3xx], expect_body: "/ok/i", headers: { Host: a.example } }',
      probe: 'url',
      options: { url: 'https://x/', expect_status: [200, '3xx'], expect_body: '/ok/i', headers: { Host: 'a.example' } },
    },
    {
      text: '{ url: "http://localhost:{slot}/${SYSG_REPLICA}" }',
      probe: 'url',
      options: { url: 'http://localhost:{slot}/${SYSG_REPLICA}' },
    },
    { text: '{ tcp: "localhost:5432" }', probe: 'tcp', options: 'localhost:5432' },
    { text: '{ tcp: 5432 }', probe: 'tcp', options: 5432 },
    { text: '{ command: [pg_isready, -q] }', probe: 'command', options: ['pg_isready', '-q'] },
    { text: '{ log: "/listening on \\\\d+/" }', probe: 'log', options: '/listening on \\d+/' },
    { text: '{ notify: true }', probe: 'notify', options: true },
    { text: '{ redis: { url: "redis://x" } }', probe: 'redis', options: { url: 'redis://x' } },
  ])('$text asks by $probe', async ({ text, probe, options }) => {
    expect(await check(text)).toEqual({ check: { probe, options, ...defaults }, problems: [] })
  })

  it.each(['total_timeout', 'timeout', 'start_period'])('takes %s for the whole start', async (name) => {
    expect((await check(`{ tcp: 1, ${name}: 90s }`)).check).toMatchObject({ total_timeout: 90_000 })
  })

  it.each([
    { text: '{ ulr: "http://x/" }', says: '`ulr` is not a key that can stand here', hint: 'Did you mean `url`?' },
    {
      text: '{ reddis: { url: x } }',
      says: '`reddis` is not a key that can stand here',
      hint: 'Did you mean `redis`?',
    },
    { text: '{ interval: 5s }', says: '`health_check` has no probe', hint: '`redis`' },
    { text: '{ url: "http://x/", tcp: 1 }', says: '`health_check.tcp` is a second probe', hint: 'Keep one' },
    { text: '{ tcp: 1, timeout: 3s, total_timeout: 4s }', says: 'means the same as `total_timeout`', hint: 'Keep one' },
    { text: '{ tcp: 1, expect_status: 200 }', says: 'belongs to the probe `url`', hint: 'Remove it' },
    { text: '{ tcp: "localhost" }', says: 'must be an address such as `localhost:5432`', hint: '' },
    { text: '{ tcp: "localhost:70000" }', says: 'must be an address', hint: '' },
    { text: '{ url: "localhost:80" }', says: 'must be a URL such as', hint: '' },
    { text: '{ url: "ftp://x/" }', says: 'must be a URL such as', hint: '' },
    { text: '{ url: "http://x/", expect_status: 20x }', says: 'must be a status such as', hint: '' },
    { text: '{ log: "/(/" }', says: 'is no regular expression', hint: '' },
    { text: '{ log: "/(a+)+$/" }', says: 'can take forever', hint: '' },
    { text: '{ tcp: 1, interval: 5ms }', says: 'must be at least 100ms', hint: '' },
    { text: '{ tcp: 1, retries: 0 }', says: 'must be at least 1', hint: '' },
    { text: '{ notify: false }', says: 'must be `true`', hint: '' },
    { text: '{ redis: { url: x, pasword: y } }', says: '`pasword` is not a key', hint: 'Did you mean `password`?' },
  ])('$text is refused', async ({ text, says, hint }) => {
    const { problems } = await check(text)
    expect(problems).toHaveLength(1)
    expect(problems[0]?.message).toContain(says)
    expect(problems[0]?.hint ?? '').toContain(hint)
  })

  it('may stand below `deployment`, with the same meaning, but not in both places', async () => {
    const of = (more: string) =>
      resolve(`services: { api: { command: x, deployment: { health_check: { tcp: 1, timeout: 3s } } ${more} } }`)
    const { system, problems } = await of('')
    expect(problems).toEqual([])
    expect(system?.services['api']).toMatchObject({
      deployment: { health_check: { probe: 'tcp', options: 1, ...defaults, total_timeout: 3_000 } },
    })
    const twice = await of(', health_check: { tcp: 1 }')
    expect(twice.problems.map(({ code }) => code)).toEqual(['SYSG_HEALTH_CHECK_TWICE'])
  })

  it.each(['none', 'inherit'])('cannot wait for a line that nobody reads (sink %s)', async (sink) => {
    const own = `services: { api: { command: x, health_check: { log: ready }, logs: { sink: ${sink} } } }`
    const global = `logs: { sink: ${sink} }\nservices: { api: { command: x, health_check: { log: ready } } }`
    for (const yaml of [own, global])
      expect((await resolve(yaml)).problems.map(({ code }) => code)).toEqual(['SYSG_HEALTH_LOG_UNREAD'])
  })

  it('has every probe in the JSON Schema, those of third parties among them', async () => {
    const schema = (await jsonSchema([{ plugin: health }, { plugin: redis }])) as unknown as {
      properties: {
        services: {
          additionalProperties: {
            properties: { health_check: { properties: Record<string, { description?: string }> } }
          }
        }
      }
    }
    const { properties } = schema.properties.services.additionalProperties.properties.health_check
    expect(Object.keys(properties)).toEqual(
      expect.arrayContaining(['url', 'tcp', 'command', 'log', 'notify', 'redis', 'interval']),
    )
    expect(properties['redis']?.description).toBe('A PING.')
  })

  it('leaves its own keys to nobody', async () => {
    const greedy = definePlugin({
      name: 'greedy',
      probes: { interval: z.string() },
      setup: ({ registerProbe }) => registerProbe('interval', () => Promise.resolve()),
    })
    const { problems } = await resolve('services: { api: { command: x } }', [greedy])
    expect(problems.map(({ code }) => code)).toEqual(['SYSG_PROBE_NAME'])
  })
})

describe('placeholders', () => {
  const env = {
    SYSG_SLOT: '8001',
    SYSG_SERVICE: 'api',
    SYSG_REPLICA: '2',
    SYSG_ACTIVE_SLOT: '8000',
    SYSG_CANDIDATE_SLOT: '8001',
  }

  it('stand for what is known of the instance, in every string', () => {
    const given = {
      url: 'http://x:{slot}/{service}/${SYSG_REPLICA}',
      headers: { a: ['{active_slot}>{candidate_slot}'] },
      n: 1,
    }
    expect(filledIn(given, env)).toEqual({ url: 'http://x:8001/api/2', headers: { a: ['8000>8001'] }, n: 1 })
  })

  it('without a value are an error that names them; other braces are left alone', () => {
    expect(() => filledIn('http://x:{slot}/', {})).toThrow('`{slot}` has no value here')
    expect(filledIn('{"a": {b}} ${HOME}', {})).toBe('{"a": {b}} ${HOME}')
  })
})

describe('a pattern', () => {
  it.each([
    { pattern: 'ready.', text: 'it is ready.', is: true },
    { pattern: 'ready.', text: 'it is ready!', is: false },
    { pattern: '/^ready \\d+$/', text: 'ready 12', is: true },
    { pattern: '/READY/i', text: 'ready', is: true },
    { pattern: '/usr/bin', text: 'found /usr/bin/x', is: true },
  ])('$pattern in $text: $is', ({ pattern, text, is }) => {
    expect(matcherOf(pattern)(text)).toBe(is)
  })
})
