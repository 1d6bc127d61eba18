/** Hooks that plugins offer to plugins: their order, their answers, and taps that throw, hang or answer nonsense. */
import { definePlugin, type Plugin } from '@systemg/core'
import { simulate, type Simulation } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'

declare module '@systemg/core' {
  interface PluginHooks {
    'judge:verdict': {
      kind: 'async bail'
      args: [at: { service: string; signal: AbortSignal }]
      answer: { why: string }
    }
    'judge:told': { kind: 'sync series'; args: [text: string] }
    'judge:text': { kind: 'async waterfall'; args: [text: string, at: { signal: AbortSignal }] }
    'judge:sum': { kind: 'sync waterfall'; args: [sum: number] }
    'judge:any': { kind: 'sync bail'; args: []; answer: string }
    'judge:all': { kind: 'async series'; args: [at: { signal: AbortSignal }] }
  }
}

const judge = (onError: 'report' | 'fail' = 'report'): Plugin =>
  definePlugin({
    name: 'judge',
    hooks: {
      'judge:verdict': {
        kind: 'async bail',
        description: 'Whether a service may go on.',
        onError,
        limitMs: 5_000,
        answer: z.strictObject({ why: z.string() }).describe('`{ why }`'),
      },
      'judge:told': { kind: 'sync series', description: 'What was said.', onError },
      'judge:text': { kind: 'async waterfall', description: 'What to say.', onError, answer: z.string() },
      'judge:sum': { kind: 'sync waterfall', description: 'How much.', onError },
      'judge:any': { kind: 'sync bail', description: 'Who.', onError },
      'judge:all': { kind: 'async series', description: 'When.', onError },
    },
    setup({ hookOf, registerMethod }) {
      registerMethod('judge.ask', (_, { signal }) => hookOf('judge:verdict').promise({ service: 'api', signal }))
      registerMethod('judge.tell', () => hookOf('judge:told').call('hello'))
      registerMethod('judge.text', (_, { signal }) => hookOf('judge:text').promise('a', { signal }))
      registerMethod('judge.sum', () => hookOf('judge:sum').call(1))
      registerMethod('judge.any', () => hookOf('judge:any').call())
      registerMethod('judge.all', (_, { signal }) => hookOf('judge:all').promise({ signal }))
    },
  })

const witness = (name: string, setup: Plugin['setup']): Plugin =>
  definePlugin({ name, ...(setup === undefined ? {} : { setup }) })

const world = (...plugins: readonly Plugin[]) => simulate(plugins, { api: { command: 'x' } })
const ask = (sim: Simulation, method = 'judge.ask', signal?: AbortSignal) =>
  sim.finish(Promise.resolve(sim.system.registries.methods.call(method, {}, signal)))
const errorsOf = (sim: Simulation) => sim.events.filter(({ type }) => type === 'plugin.error').map(({ data }) => data)

const harsh = witness('harsh', ({ hookOf }) =>
  hookOf('judge:verdict').tap('harsh', ({ service }) => ({ why: `no ${service}` })),
)

describe('a hook of a plugin', () => {
  it.each([
    ['before', [harsh, judge()]],
    ['after', [judge(), harsh]],
  ])('is tapped by one that is set up %s it', async (_when, plugins) => {
    await using sim = await world(...plugins)
    expect(await ask(sim)).toEqual({ why: 'no api' })
  })

  it('that nobody taps answers nothing', async () => {
    await using sim = await world(judge())
    expect(await ask(sim)).toBeUndefined()
    expect(await ask(sim, 'judge.text')).toBe('a')
  })

  it('that nobody offers may be tapped in every way, and nothing comes of it', async () => {
    const alone = witness('alone', ({ hookOf }) => {
      hookOf('judge:verdict').tapPromise({ name: 'alone', limitMs: 1 }, async () => ({ why: 'x' }))
      hookOf('judge:told').tap('alone', () => undefined)
    })
    await using sim = await world(alone)
    expect(sim.states).toEqual({ api: 'running' })
    expect(errorsOf(sim)).toEqual([])
  })

  it('has the kind that it was declared with', async () => {
    const told: unknown[] = []
    const one = witness('one', ({ hookOf }) => {
      hookOf('judge:told').tap('one', (text) => void told.push(text))
      hookOf('judge:told').tap('one', (text) => void told.push(text))
      hookOf('judge:text').tapPromise('one', async (text) => `${text}b`)
      hookOf('judge:text').tap('one', (text) => `${text}c`)
      hookOf('judge:sum').tap('one', (sum) => sum + 1)
      hookOf('judge:sum').tap({ name: 'one', stage: -1 }, (sum) => sum * 10)
      hookOf('judge:any').tap('one', () => undefined)
      hookOf('judge:any').tap('one', () => 'second')
      hookOf('judge:all').tapPromise('one', async () => void told.push('all'))
    })
    await using sim = await world(one, judge())
    await ask(sim, 'judge.tell')
    expect(await ask(sim, 'judge.text')).toBe('abc')
    expect(await ask(sim, 'judge.sum')).toBe(11)
    expect(await ask(sim, 'judge.any')).toBe('second')
    await ask(sim, 'judge.all')
    expect(told).toEqual(['hello', 'hello', 'all'])
  })

  it('reports a tap that throws under the name of its plugin, and asks the next', async () => {
    const broken = witness('broken', ({ hookOf }) =>
      hookOf('judge:verdict').tap({ name: 'broken', stage: -1 }, () => {
        throw new Error('out of order')
      }),
    )
    await using sim = await world(judge(), harsh, broken)
    expect(await ask(sim)).toEqual({ why: 'no api' })
    expect(errorsOf(sim)).toEqual([
      {
        ...{ plugin: 'broken', hook: 'judge:verdict' },
        message: 'Plugin `broken` failed in `judge:verdict` of `api`: out of order.',
      },
    ])
  })

  it('fails the call instead, where that was declared', async () => {
    const broken = witness('broken', ({ hookOf }) =>
      hookOf('judge:verdict').tapPromise('broken', async () => Promise.reject(new Error('out of order'))),
    )
    await using sim = await world(judge('fail'), broken, harsh)
    await expect(ask(sim)).rejects.toMatchObject({
      code: 'SYSG_PLUGIN_FAILED',
      message: 'Plugin `broken` failed in `judge:verdict` of `api`: out of order.',
    })
    expect(sim.states).toEqual({ api: 'running' })
  })

  it('gives up a tap that hangs, and aborts its signal', async () => {
    const reasons: unknown[] = []
    const slow = witness('slow', ({ hookOf }) =>
      hookOf('judge:verdict').tapPromise(
        { name: 'slow', stage: -1 },
        ({ signal }) => new Promise(() => signal.addEventListener('abort', () => reasons.push(signal.reason))),
      ),
    )
    await using sim = await world(judge(), harsh, slow)
    const before = sim.world.elapsedMs()
    expect(await ask(sim)).toEqual({ why: 'no api' })
    expect(sim.world.elapsedMs() - before).toBe(5_000)
    expect(reasons).toMatchObject([
      {
        code: 'SYSG_PLUGIN_TIMEOUT',
        message: 'Plugin `slow` did not answer `judge:verdict` of `api` within 5000 ms.',
      },
    ])
  })

  it('ends with the operation of its caller', async () => {
    const slow = witness('slow', ({ hookOf }) =>
      hookOf('judge:verdict').tapPromise({ name: 'slow', limitMs: 60_000 }, () => new Promise(() => undefined)),
    )
    await using sim = await world(judge(), slow)
    const ended = new AbortController()
    const asked = ask(sim, 'judge.ask', ended.signal)
    ended.abort(new Error('called off'))
    await expect(asked).rejects.toThrow('called off')
  })

  it.each([
    ['judge.ask', 'judge:verdict', 'it answered an object with `because`, and this hook takes `{ why }`'],
    ['judge.text', 'judge:text', 'it answered 7, and this hook takes something else'],
  ])('takes no answer of another form: %s', async (method, hook, why) => {
    const odd = witness('odd', ({ hookOf }) => {
      // As one that is written in JavaScript may do.
      const answer = (given: unknown) => (() => given) as () => never
      hookOf('judge:verdict').tap('odd', answer({ because: 'I say so' }))
      hookOf('judge:text').tap('odd', answer(7))
    })
    await using sim = await world(judge(), odd)
    expect(await ask(sim, method)).not.toBe(7)
    expect(errorsOf(sim)).toMatchObject([{ plugin: 'odd', hook, message: expect.stringContaining(why) as string }])
  })

  it('that is called with every event reports its failures once, not without end', async () => {
    const loud = witness('loud', ({ hooks, hookOf }) =>
      hooks.event.tap('loud', ({ type }) => hookOf('judge:told').call(type)),
    )
    const broken = witness('broken', ({ hookOf }) =>
      hookOf('judge:told').tap('broken', () => {
        throw new Error('out of order')
      }),
    )
    await using sim = await world(judge(), loud, broken)
    expect(sim.states).toEqual({ api: 'running' })
    const others = sim.events.filter(({ type }) => type !== 'plugin.error')
    expect(errorsOf(sim)).toHaveLength(others.length)
  })
})

it.each<[string, Partial<Plugin>, string]>([
  [
    'judge',
    { hooks: { 'other:ask': { kind: 'sync bail', description: 'x', onError: 'fail' } } as never },
    'a name is `judge:` and one word',
  ],
  [
    'judge',
    { hooks: { 'judge:a b': { kind: 'sync bail', description: 'x', onError: 'fail' } } as never },
    'a name is `judge:` and one word',
  ],
  [
    'judge',
    { hooks: { 'judge:ask': { kind: 'parallel', description: 'x', onError: 'fail' } } as never },
    'its `kind` is none of `sync series`',
  ],
])('a hook of %s that cannot be: %j', async (name, given, why) => {
  await expect(world(definePlugin({ name, ...given }))).rejects.toMatchObject({
    code: 'SYSG_PLUGIN_HOOK',
    message: expect.stringContaining(why) as string,
  })
})

it('a hook of a plugin is typed where it is declared, tapped and called', () => {
  const described = { description: 'x', onError: 'fail' } as const
  const answer = z.string()
  const wrong: readonly Plugin[] = [
    // @ts-expect-error -- it is declared as another kind than it is said to be
    definePlugin({ name: 'judge', hooks: { 'judge:told': { kind: 'sync bail', ...described } } }),
    // @ts-expect-error -- taps answer with a map
    definePlugin({ name: 'judge', hooks: { 'judge:verdict': { kind: 'async bail', ...described, answer } } }),
    // @ts-expect-error -- nothing is said of it
    definePlugin({ name: 'judge', hooks: { 'judge:unsaid': { kind: 'sync bail', ...described } } }),
    // @ts-expect-error -- nobody has such a hook
    witness('typo', ({ hookOf }) => hookOf('judge:verdct').tap('typo', () => undefined)),
    // @ts-expect-error -- a verdict has a reason
    witness('odd', ({ hookOf }) => hookOf('judge:verdict').tap('odd', () => ({ because: 'x' }))),
    // @ts-expect-error -- it is told a text
    witness('number', ({ hookOf }) => hookOf('judge:told').call(7)),
  ]
  expect(wrong.map(({ name }) => name)).toEqual(['judge', 'judge', 'judge', 'typo', 'odd', 'number'])
})
