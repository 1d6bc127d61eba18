import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { HookPolicy, SysgError } from '@systemg/core'
import { createWorld } from '@systemg/core/simulated'
import {
  AsyncSeriesBailHook,
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  SyncBailHook,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable'
import { describe, expect, it } from 'vitest'
import { interpret, type TapFailure, type TapLimit } from '../../core/src/tap-runner.ts'

/** Argument of the hooks here: by convention the last one, with the operation's signal. */
interface At {
  readonly service: { readonly name: string }
  readonly signal: AbortSignal
}

/** No answer leaves the matter to the next tap. */
type Answer = string | undefined

/** Hooks of every kind under one policy for failures, on a clock that the test moves. */
const underTest = (onError: HookPolicy['onError'] = 'fail', limitMs = 1_000) => {
  const world = createWorld()
  const reports: (readonly [SysgError, TapFailure])[] = []
  let owner: string | undefined
  const { clock } = world.host()
  const tapWorld = {
    clock,
    owner: () => owner,
    report: (...report: [SysgError, TapFailure]) => void reports.push(report),
  }
  const policyOf = (kind: HookPolicy['kind']): HookPolicy => ({ kind, onError, limitMs })
  const controller = new AbortController()
  return {
    world,
    reports,
    controller,
    own: (name: string | undefined) => (owner = name),
    at: { service: { name: 'api' }, signal: controller.signal } satisfies At,
    sync: interpret(new SyncHook<[value: string]>(['value'], 'sync'), policyOf('series'), tapWorld),
    syncBail: interpret(new SyncBailHook<[value: string], Answer>(['value'], 'syncBail'), policyOf('bail'), tapWorld),
    syncWaterfall: interpret(
      new SyncWaterfallHook<[value: string, more: string], Answer>(['value', 'more'], 'syncWaterfall'),
      policyOf('waterfall'),
      tapWorld,
    ),
    series: interpret(new AsyncSeriesHook<[at: At], TapLimit>(['at'], 'series'), policyOf('series'), tapWorld),
    bail: interpret(
      new AsyncSeriesBailHook<[value: string, at: At], Answer>(['value', 'at'], 'bail'),
      policyOf('bail'),
      tapWorld,
    ),
    waterfall: interpret(
      new AsyncSeriesWaterfallHook<[value: string, at: At], Answer>(['value', 'at'], 'waterfall'),
      policyOf('waterfall'),
      tapWorld,
    ),
  }
}

/** What a promise came to; `pending` while it has not. */
const watch = (promise: Promise<unknown>): { state: 'pending' | 'done' | 'failed'; value?: unknown } => {
  const seen: ReturnType<typeof watch> = { state: 'pending' }
  promise.then(
    (value) => Object.assign(seen, { state: 'done', value }),
    (value: unknown) => Object.assign(seen, { state: 'failed', value }),
  )
  return seen
}

describe('taps run', () => {
  it('in the order of their stage, then of registration', () => {
    const { sync } = underTest()
    const ran: string[] = []
    for (const [name, stage] of [
      ['late', 10],
      ['first', 0],
      ['second', 0],
      ['early', -5],
    ] as const)
      sync.tap({ name, stage }, () => void ran.push(name))
    sync.call('x')
    expect(ran).toEqual(['early', 'first', 'second', 'late'])
  })

  it('before those they name', () => {
    const { sync } = underTest()
    const ran: string[] = []
    sync.tap('a', () => void ran.push('a'))
    sync.tap('b', () => void ran.push('b'))
    sync.tap({ name: 'c', before: 'a' }, () => void ran.push('c'))
    sync.tap({ name: 'd', before: ['b', 'a'] as unknown as string }, () => void ran.push('d'))
    sync.call('x')
    expect(ran.indexOf('c')).toBeLessThan(ran.indexOf('a'))
    expect(ran.indexOf('d')).toBeLessThan(ran.indexOf('a'))
    expect(ran.at(-1)).toBe('b')
  })

  it('also when they were added after the hook had been called', () => {
    const { sync } = underTest()
    const ran: string[] = []
    sync.tap('a', () => void ran.push('a'))
    sync.call('x')
    sync.tap('b', () => void ran.push('b'))
    sync.call('x')
    expect(ran).toEqual(['a', 'a', 'b'])
  })

  it('one after the other, each when the one before it has answered', async () => {
    const { series, at, world } = underTest()
    const ran: string[] = []
    for (const name of ['a', 'b']) {
      series.tapPromise(name, async () => {
        ran.push(`${name} begins`)
        await new Promise<void>((resolve) => world.host().clock.timer(100, resolve))
        ran.push(`${name} ends`)
      })
    }
    const done = series.promise(at)
    await world.advance(200)
    await done
    expect(ran).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })

  it('not at all when there are none', async () => {
    const { bail, waterfall, syncBail, syncWaterfall, at } = underTest()
    expect(syncBail.call('x')).toBeUndefined()
    expect(syncWaterfall.call('x', 'y')).toBe('x')
    expect(await bail.promise('x', at)).toBeUndefined()
    expect(await waterfall.promise('x', at)).toBe('x')
  })
})

describe('answers', () => {
  it('of a bail hook: the first that is not undefined wins, and no tap behind it runs', async () => {
    const { bail, syncBail, at } = underTest()
    const ran: string[] = []
    syncBail.tap('silent', () => undefined)
    syncBail.tap('empty', () => '')
    syncBail.tap('late', () => `${ran.push('sync')}`)
    bail.tap('silent', () => undefined)
    bail.tapPromise('says', async (value) => `${value}!`)
    bail.tap('late', () => `${ran.push('async')}`)
    expect(syncBail.call('x')).toBe('')
    expect(await bail.promise('x', at)).toBe('x!')
    expect(ran).toEqual([])
  })

  it('of a waterfall hook become what the next tap gets; no answer changes nothing', async () => {
    const { waterfall, syncWaterfall, at } = underTest()
    syncWaterfall.tap('a', (value, more) => value + more)
    syncWaterfall.tap('b', () => undefined)
    syncWaterfall.tap('c', (value, more) => value + more)
    waterfall.tap('a', (value) => `${value}a`)
    waterfall.tapPromise('b', async () => undefined)
    waterfall.tapPromise('c', async (value) => `${value}c`)
    expect(syncWaterfall.call('x', 'y')).toBe('xyy')
    expect(await waterfall.promise('x', at)).toBe('xac')
  })

  it('of a series hook are nobody’s business', async () => {
    const { series, sync, at } = underTest()
    const ran: string[] = []
    for (const hook of ['a', 'b']) {
      sync.tap(hook, () => 'answer' as unknown as undefined)
      series.tapPromise(hook, async () => 'answer' as unknown as undefined)
    }
    sync.tap('last', () => void ran.push('sync'))
    series.tap('last', () => void ran.push('async'))
    sync.call('x')
    await series.promise(at)
    expect(ran).toEqual(['sync', 'async'])
  })

  it('are the same from a plain, an async and a callback tap', async () => {
    const { waterfall, at } = underTest()
    waterfall.tap('plain', (value) => `${value}1`)
    waterfall.tap('async function', (async (value: string) => `${value}2`) as never)
    waterfall.tapPromise('promise', async (value) => `${value}3`)
    waterfall.tapAsync('callback', (value, _at, done) => done(null, `${value}4`))
    expect(await waterfall.promise('x', at)).toBe('x1234')
  })

  it('come by callback, too, when the hook is called that way', async () => {
    const { waterfall, series, at } = underTest()
    waterfall.tap('a', (value) => `${value}a`)
    series.tap('a', () => {
      throw new Error('no')
    })
    const answer = await new Promise((resolve) => waterfall.callAsync('x', at, (_error, value) => resolve(value)))
    const failure = await new Promise((resolve) => series.callAsync(at, (error) => resolve(error)))
    expect(answer).toBe('xa')
    expect(failure).toMatchObject({ code: 'SYSG_PLUGIN_FAILED' })
  })
})

describe('a failing tap', () => {
  const broken = () => {
    throw new Error('disk full.')
  }

  it('ends an operation that must not go on, with the names of plugin, hook and service', async () => {
    const { series, at, reports } = underTest('fail')
    let ran = false
    series.tap('broken', broken)
    series.tap('next', () => void (ran = true))
    await expect(series.promise(at)).rejects.toMatchObject({
      code: 'SYSG_PLUGIN_FAILED',
      message: 'Plugin `broken` failed in `series` of `api`: disk full.',
      cause: expect.objectContaining({ message: 'disk full.' }) as Error,
    })
    expect([ran, reports]).toEqual([false, []])
  })

  it('is reported where the operation goes on, and the next tap runs', async () => {
    const { series, waterfall, bail, at, reports } = underTest('report')
    series.tap('broken', broken)
    waterfall.tap('broken', broken)
    waterfall.tap('next', (value) => `${value}!`)
    bail.tap('broken', broken)
    bail.tap('next', () => 'answer')
    await series.promise(at)
    expect(await waterfall.promise('x', at)).toBe('x!')
    expect(await bail.promise('x', at)).toBe('answer')
    expect(reports.map(([{ code }, failure]) => [code, failure])).toEqual(
      ['series', 'waterfall', 'bail'].map((hook) => ['SYSG_PLUGIN_FAILED', { plugin: 'broken', hook, service: 'api' }]),
    )
  })

  it('of a synchronous hook is treated alike', () => {
    const reporting = underTest('report')
    reporting.syncWaterfall.tap('broken', broken)
    reporting.syncWaterfall.tap('next', (value) => `${value}!`)
    expect(reporting.syncWaterfall.call('x', 'y')).toBe('x!')
    expect(reporting.reports).toHaveLength(1)
    const failing = underTest('fail')
    failing.syncBail.tap('broken', broken)
    expect(() => failing.syncBail.call('x')).toThrow(expect.objectContaining({ code: 'SYSG_PLUGIN_FAILED' }))
  })

  it('may throw what is no error, reject, or call back with one', async () => {
    const { series, at, reports } = underTest('report')
    series.tap('text', () => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw 'just text'
    })
    // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors
    series.tapPromise('nothing', () => Promise.reject(undefined))
    series.tapAsync('callback', (_at, done) => done(new Error('late')))
    await series.promise(at)
    expect(reports.map(([{ message }]) => message)).toEqual([
      'Plugin `text` failed in `series` of `api`: just text.',
      'Plugin `nothing` failed in `series` of `api`: undefined.',
      'Plugin `callback` failed in `series` of `api`: late.',
    ])
  })

  it('keeps an error that has a code of its own', async () => {
    const { series, at } = underTest('fail')
    const { SysgError } = await import('@systemg/core')
    const own = SysgError.of('SYSG_MINE', { message: 'Mine.' })
    series.tap('mine', () => {
      throw own
    })
    await expect(series.promise(at)).rejects.toBe(own)
  })

  it('is named after the plugin in whose setup it was tapped, whatever it calls itself', async () => {
    const { series, own, at, reports } = underTest('report')
    own('owner')
    series.tap('alias', broken)
    own(undefined)
    series.tap('nobody', broken)
    await series.promise(at)
    expect(reports.map(([, { plugin }]) => plugin)).toEqual(['owner', 'nobody'])
  })

  it('of an `async` function in a synchronous hook is reported as well, and its promise is no answer', async () => {
    const { sync, syncBail, syncWaterfall, reports, world } = underTest('report')
    const late = (async () => Promise.reject(new Error('too late'))) as never
    sync.tap('notify', late)
    syncBail.tap('decide', (async () => 'answer') as never)
    syncBail.tap('next', () => 'next')
    syncWaterfall.tap('refine', (async () => 'other') as never)
    sync.call('x')
    expect(syncBail.call('x')).toBe('next')
    expect(syncWaterfall.call('x', 'y')).toBe('x')
    await world.settle()
    const why = 'it answered with a promise, and this hook does not wait.'
    expect(reports.map(([{ message }]) => message)).toEqual([
      `Plugin \`decide\` failed in \`syncBail\`: ${why}`,
      `Plugin \`refine\` failed in \`syncWaterfall\`: ${why}`,
      'Plugin `notify` failed in `sync`: too late.',
    ])
  })
})

describe('a tap that takes too long', () => {
  const never = () => new Promise<undefined>(() => undefined)

  it('is given up at the limit of its hook: its signal aborts and the operation fails', async () => {
    const { series, at, world } = underTest('fail', 1_000)
    let signal: AbortSignal | undefined
    series.tapPromise('slow', (own) => {
      signal = own.signal
      return never()
    })
    const seen = watch(series.promise(at))
    await world.advance(999)
    expect([seen.state, signal?.aborted]).toEqual(['pending', false])
    await world.advance(1)
    expect(seen).toMatchObject({ state: 'failed', value: { code: 'SYSG_PLUGIN_TIMEOUT' } })
    expect((seen.value as Error).message).toBe('Plugin `slow` did not answer `series` of `api` within 1000 ms.')
    expect(signal?.reason).toBe(seen.value)
    expect(at.signal.aborted).toBe(false)
  })

  it('may have a limit of its own', async () => {
    const { series, at, world } = underTest('fail', 1_000)
    series.tapPromise({ name: 'slow', limitMs: 5_000 }, never)
    const seen = watch(series.promise(at))
    await world.advance(4_999)
    expect(seen.state).toBe('pending')
    await world.advance(1)
    expect(seen).toMatchObject({ state: 'failed', value: { code: 'SYSG_PLUGIN_TIMEOUT' } })
  })

  it('holds up only itself where the operation goes on; each tap has the whole limit', async () => {
    const { waterfall, at, world, reports } = underTest('report', 1_000)
    waterfall.tapPromise('slow', never)
    waterfall.tapPromise('slower', never)
    waterfall.tap('fine', (value) => `${value}!`)
    const seen = watch(waterfall.promise('x', at))
    await world.advance(1_999)
    expect(seen.state).toBe('pending')
    await world.advance(1)
    expect(seen).toEqual({ state: 'done', value: 'x!' })
    expect(reports.map(([{ code }, { plugin }]) => [code, plugin])).toEqual([
      ['SYSG_PLUGIN_TIMEOUT', 'slow'],
      ['SYSG_PLUGIN_TIMEOUT', 'slower'],
    ])
  })

  it('changes nothing with an answer, or a failure, that comes too late', async () => {
    const { waterfall, at, world, reports } = underTest('report', 1_000)
    const answer = Promise.withResolvers<string>()
    const failure = Promise.withResolvers<string>()
    waterfall.tapPromise('late answer', () => answer.promise)
    waterfall.tapPromise('late failure', () => failure.promise)
    const seen = watch(waterfall.promise('x', at))
    await world.advance(2_000)
    answer.resolve('late')
    failure.reject(new Error('late'))
    await world.settle()
    expect(seen).toEqual({ state: 'done', value: 'x' })
    expect(reports).toHaveLength(2)
  })

  it('leaves no timer behind, however it ended', async () => {
    const { series, bail, at, world, controller } = underTest('report', 1_000)
    series.tap('fine', () => undefined)
    series.tap('broken', () => {
      throw new Error('no')
    })
    bail.tapPromise('slow', never)
    await series.promise(at)
    expect(world.pendingTimers()).toBe(0)
    const seen = watch(bail.promise('x', at))
    await world.settle()
    expect(world.pendingTimers()).toBe(1)
    controller.abort(new Error('over'))
    await world.settle()
    expect([seen.state, world.pendingTimers()]).toEqual(['failed', 0])
  })
})

describe('an operation that is called off', () => {
  it.each(['fail', 'report'] as const)(
    'rejects at once with the reason, and no further tap runs (%s)',
    async (onError) => {
      const { series, at, controller, world, reports } = underTest(onError)
      const ran: string[] = []
      let own: AbortSignal | undefined
      series.tapPromise('waits', ({ signal }) => {
        own = signal
        return new Promise(() => undefined)
      })
      series.tap('next', () => void ran.push('next'))
      const seen = watch(series.promise(at))
      await world.settle()
      const reason = new Error('a stop came')
      controller.abort(reason)
      await world.settle()
      expect(seen).toEqual({ state: 'failed', value: reason })
      expect(own?.reason).toBe(reason)
      expect([ran, reports]).toEqual([[], []])
    },
  )

  it('before it began runs nothing', async () => {
    const { series, at, controller } = underTest()
    let ran = false
    series.tap('a', () => void (ran = true))
    controller.abort(new Error('too late'))
    await expect(series.promise(at)).rejects.toThrow('too late')
    expect(ran).toBe(false)
  })

  it('between two taps does not run the second', async () => {
    const { series, at, controller } = underTest()
    let ran = false
    series.tap('first', () => controller.abort(new Error('enough')))
    series.tap('second', () => void (ran = true))
    await expect(series.promise(at)).rejects.toThrow('enough')
    expect(ran).toBe(false)
  })
})

it('a hook works where code may not be made from strings', () => {
  const hooks = fileURLToPath(new URL('../../core/src/hooks.ts', import.meta.url))
  const script = `
    const { createHooks } = await import(${JSON.stringify(hooks)})
    let compiled = 0
    try { new Function('') ; compiled += 1 } catch {}
    const clock = { timer: () => () => undefined }
    const hooks = createHooks({ clock, owner: () => undefined, report: (error) => { throw error } })
    hooks.prepare.tapPromise('a', async (spec) => ({ ...spec, cwd: spec.cwd + '/a' }))
    hooks.retry.tap('a', () => ({ delayMs: 5 }))
    hooks.event.tap('a', () => undefined)
    hooks.event.call({ seq: 1 })
    const { signal } = new AbortController()
    const launch = { argv: ['x'], env: {}, cwd: '/srv', stdout: 'null', stderr: 'null', inherit: [] }
    const spec = await hooks.prepare.promise(launch, { signal, service: { name: 'api' } })
    process.stdout.write(JSON.stringify([compiled, spec.cwd, hooks.retry.call({})]))`
  const flags = [
    '--disallow-code-generation-from-strings',
    '--conditions=systemg-source',
    '--input-type=module',
    '-e',
    script,
  ]
  expect(execFileSync(process.execPath, flags, { encoding: 'utf8' })).toBe('[0,"/srv/a",{"delayMs":5}]')
})
