import { collectKeys, definePlugin, orderPlugins, pluginApiVersion, type Plugin } from '@systemg/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

type Order = Pick<Plugin, 'before' | 'after' | 'api'>

const use = (name: string, given: Partial<Plugin> = {}) => ({ plugin: definePlugin({ name, ...given }) })
const orderOf = (plugins: Readonly<Record<string, Order>>) =>
  orderPlugins(Object.entries(plugins).map(([name, given]) => use(name, given))).map(({ plugin }) => plugin.name)

describe('the order of setup', () => {
  it.each<[string, Readonly<Record<string, Order>>, string[]]>([
    ['is as listed', { c: {}, a: {}, b: {} }, ['c', 'a', 'b']],
    ['moves one behind those it comes after', { a: { after: ['c'] }, b: {}, c: {} }, ['c', 'a', 'b']],
    ['moves one ahead of those it comes before', { a: {}, b: {}, c: { before: ['a'] } }, ['c', 'a', 'b']],
    ['ignores plugins that are not there', { a: { after: ['x'], before: ['y'] }, b: {} }, ['a', 'b']],
    ['follows a chain', { a: { after: ['b'] }, b: { after: ['c'] }, c: {} }, ['c', 'b', 'a']],
    ['takes `before` and `after` of both sides', { a: { after: ['b'] }, b: { before: ['a'] } }, ['b', 'a']],
  ])('%s', (_title, plugins, expected) => {
    expect(orderOf(plugins)).toEqual(expected)
  })

  it('keeps the options with the plugin', () => {
    const late = { ...use('late', { after: ['early'] }), options: { a: 1 } }
    expect(orderPlugins([late, use('early')])[1]).toBe(late)
  })

  it.each<[Readonly<Record<string, Order>>, string]>([
    [{ a: { before: ['a'] } }, 'a → a'],
    [{ a: { after: ['b'] }, b: { after: ['a'] } }, 'a → b → a'],
    [{ x: { after: ['a'] }, a: { after: ['b'] }, b: { after: ['c'] }, c: { after: ['a'] } }, 'a → b → c → a'],
    [{ a: { before: ['b'], after: ['b'] }, b: {} }, 'a → b → a'],
  ])('cannot be a circle: %j', (plugins, path) => {
    expect(() => orderOf(plugins)).toThrow(
      expect.objectContaining({ code: 'SYSG_PLUGIN_ORDER', message: expect.stringContaining(path) as string }),
    )
  })

  it('holds every demand, or is refused', () => {
    const names = ['a', 'b', 'c', 'd', 'e']
    const some = fc.subarray(names, { maxLength: 2 })
    const demands = fc.tuple(...names.map(() => fc.record({ before: some, after: some })))
    fc.assert(
      fc.property(demands, (all) => {
        const plugins: Readonly<Record<string, Order>> = Object.fromEntries(
          names.map((name, index) => [name, all[index] ?? {}]),
        )
        let order: readonly string[]
        try {
          order = orderOf(plugins)
        } catch (error) {
          expect(error).toMatchObject({ code: 'SYSG_PLUGIN_ORDER' })
          return
        }
        expect([...order].sort()).toEqual(names)
        for (const [name, { before = [], after = [] }] of Object.entries(plugins)) {
          for (const other of before) expect(order.indexOf(name)).toBeLessThan(order.indexOf(other))
          for (const other of after) expect(order.indexOf(name)).toBeGreaterThan(order.indexOf(other))
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('plugins that cannot be loaded together', () => {
  it('have one name twice', () => {
    expect(() => orderPlugins([use('a'), use('b'), use('a')])).toThrow(
      expect.objectContaining({ code: 'SYSG_PLUGIN_DUPLICATE', message: 'Two plugins are called `a`.' }),
    )
  })

  it('were made for another version of the API', () => {
    expect(orderOf({ a: { api: pluginApiVersion } })).toEqual(['a'])
    expect(() => orderOf({ a: { api: pluginApiVersion + 1 } })).toThrow(
      expect.objectContaining({
        code: 'SYSG_PLUGIN_API',
        message: `Plugin \`a\` was made for plugin API ${pluginApiVersion + 1}; this systemg has ${pluginApiVersion}.`,
      }),
    )
  })

  const key = { owner: z.string() }

  it.each(['service', 'system'] as const)('claim one %s key', (scope) => {
    expect(() => collectKeys([use('a', { [scope]: key }), use('b', { [scope]: key })], scope, [])).toThrow(
      expect.objectContaining({
        code: 'SYSG_PLUGIN_KEY_TAKEN',
        message: `Plugins \`a\` and \`b\` both claim the ${scope} key \`owner\`.`,
      }),
    )
  })

  it('claim a key of the core', () => {
    expect(() => collectKeys([use('a', { service: { command: z.string() } })], 'service', ['command'])).toThrow(
      expect.objectContaining({ code: 'SYSG_PLUGIN_KEY_TAKEN', message: expect.stringContaining('`core`') as string }),
    )
  })

  it('may claim one key in two scopes', () => {
    const uses = [use('a', { service: key }), use('b', { system: key })]
    expect(collectKeys(uses, 'service', []).get('owner')?.plugin).toBe('a')
    expect(collectKeys(uses, 'system', []).get('owner')?.plugin).toBe('b')
  })

  it('may depend on the probes, strategies and keys that others bring', () => {
    const health = definePlugin({
      name: 'health',
      service: ({ probes }) => ({ health_check: z.strictObject(probes) }),
    })
    const deploy = definePlugin({
      name: 'deploy',
      service: ({ strategies, serviceKey }) => ({
        deployment: z.strictObject({
          strategy: z.enum(Object.keys(strategies)),
          health_check: z.lazy(() => serviceKey('health_check') ?? z.never()),
        }),
      }),
    })
    const redis = definePlugin({ name: 'redis', probes: { redis: z.url() }, strategies: { canary: z.int() } })
    const keys = collectKeys(
      [health, deploy, redis].map((plugin) => ({ plugin })),
      'service',
      [],
    )
    const schema = keys.get('deployment')?.schema
    expect(schema?.safeParse({ strategy: 'canary', health_check: { redis: 'redis://localhost' } }).success).toBe(true)
    expect(schema?.safeParse({ strategy: 'big-bang', health_check: { redis: 'redis://localhost' } }).success).toBe(
      false,
    )
    expect(schema?.safeParse({ strategy: 'canary', health_check: { tcp: 'redis://localhost' } }).success).toBe(false)
  })
})

it('is given back as it was defined', () => {
  const plugin = { name: 'mine' }
  expect(definePlugin(plugin)).toBe(plugin)
})
