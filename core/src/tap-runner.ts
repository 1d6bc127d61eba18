/**
 * Runs the taps of a hook. This interpreter replaces tapable's generated code in every hook of a system, so hooks work
 * under any Content-Security-Policy, and it is the one place where a tap gets its time limit, its `AbortSignal`, its
 * plugin's name and its isolation.
 *
 * - `series`: every tap runs; `bail`: the first answer that is not `undefined` wins; `waterfall`: each answer that is
 *   not `undefined` replaces the first argument for the taps behind it.
 * - `report`: a failing tap is reported and the next one runs; `fail`: the operation fails with the plugin's name.
 */
import type { FullTap, Hook } from 'tapable'
import { answerInWords, type AnswerForm } from './answers.ts'
import { SysgError, whyOf } from './errors.ts'
import { HostError, type Clock } from './host.ts'

export interface HookPolicy {
  readonly kind: 'series' | 'bail' | 'waterfall'
  readonly onError: 'report' | 'fail'
  /** For one tap of an asynchronous hook; a tap may ask for another with `limitMs` in its options. */
  readonly limitMs: number
  /** What a tap may answer besides nothing; default: anything. */
  readonly answer?: AnswerForm
}

export interface TapWorld {
  readonly clock: Pick<Clock, 'timer'>
  /** Told of every tap that failed in a hook that goes on. */
  report(error: SysgError, failure: TapFailure): void
  /** The plugin whose `setup` runs at the moment, for taps registered in it. */
  readonly owner: () => string | undefined
}

export interface TapFailure {
  readonly plugin: string
  readonly hook: string
  readonly service: string | undefined
}

/** What a tap of an asynchronous hook may say besides tapable's own options. */
export interface TapLimit {
  /** Milliseconds this tap may take; default: the hook's. */
  readonly limitMs?: number
}

type Tap = FullTapOf & { plugin?: string; limitMs?: number }
type FullTapOf = Pick<FullTap, 'name' | 'type'> & { fn: (...args: readonly unknown[]) => unknown }

/** Make `hook` run by this interpreter, and remember for each tap which plugin registered it. */
export const interpret = <H extends Hook<never, never> | object>(hook: H, policy: HookPolicy, world: TapWorld): H => {
  const target = hook as H & {
    name?: string
    compile: (options: { taps: Tap[]; type: 'sync' | 'async' | 'promise' }) => (...args: unknown[]) => unknown
    intercept: (interceptor: { register: (tap: Tap) => Tap }) => void
  }
  const name = target.name ?? 'hook'
  target.intercept({ register: (tap) => ({ ...tap, plugin: world.owner() ?? tap.name }) })
  target.compile = ({ taps, type }) => {
    if (type === 'sync') return (...args) => runSync(name, taps, args, policy, world)
    if (type === 'promise') return (...args) => runAsync(name, taps, args, policy, world)
    return (...args) => {
      const done = args.pop() as (error: unknown, result?: unknown) => void
      void runAsync(name, taps, args, policy, world).then((result) => done(null, result), done)
    }
  }
  return hook
}

const runSync = (hook: string, taps: readonly Tap[], args: unknown[], policy: HookPolicy, world: TapWorld): unknown => {
  const [first, ...rest] = args
  let value = first
  for (const tap of taps) {
    try {
      const answer = tap.fn(value, ...rest)
      if (answer instanceof Promise) leaveBehind(answer, failureOf(hook, tap, args), policy, world)
      else if (answer === undefined || policy.kind === 'series') continue
      else {
        requireForm(answer, policy)
        if (policy.kind === 'bail') return answer
        value = answer
      }
    } catch (thrown) {
      settleFailure(failureOf(hook, tap, args), thrown, policy, world)
    }
  }
  return policy.kind === 'waterfall' ? value : undefined
}

/** @throws {Error} for an answer that the hook has no use for. */
const requireForm = (answer: unknown, { answer: form }: HookPolicy): void => {
  if (form !== undefined && !form.fits(answer))
    throw new Error(`it answered ${answerInWords(answer)}, and this hook takes ${form.words}`)
}

/** An `async` function tapped into a synchronous hook: nobody waits for it, but what it throws is told. */
const leaveBehind = (answer: Promise<unknown>, failure: TapFailure, policy: HookPolicy, world: TapWorld): void => {
  answer.catch((thrown: unknown) => settleFailure(failure, thrown, { ...policy, onError: 'report' }, world))
  if (policy.kind !== 'series') throw new Error('it answered with a promise, and this hook does not wait')
}

const runAsync = async (
  hook: string,
  taps: readonly Tap[],
  args: unknown[],
  policy: HookPolicy,
  world: TapWorld,
): Promise<unknown> => {
  const [first, ...rest] = args
  let value = first
  const outer = signalOf(args)
  for (const tap of taps) {
    outer?.throwIfAborted()
    const failure = failureOf(hook, tap, args)
    try {
      const answer = await runBounded(tap, [value, ...rest], failure, policy, world)
      if (answer === undefined || policy.kind === 'series') continue
      requireForm(answer, policy)
      if (policy.kind === 'bail') return answer
      value = answer
    } catch (thrown) {
      if (outer?.aborted === true) throw outer.reason
      settleFailure(failure, thrown, policy, world)
    }
  }
  return policy.kind === 'waterfall' ? value : undefined
}

/** One tap with its own signal, ended by its time limit or by the operation's signal, whichever comes first. */
const runBounded = (
  tap: Tap,
  args: unknown[],
  failure: TapFailure,
  policy: HookPolicy,
  world: TapWorld,
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const controller = new AbortController()
    const outer = signalOf(args)
    const limitMs = tap.limitMs ?? policy.limitMs
    const give = (error: Error) => {
      controller.abort(error)
      reject(error)
    }
    const onOuter = () => give(outer?.reason as Error)
    const cancel = world.clock.timer(limitMs, () => give(new SysgError('SYSG_PLUGIN_TIMEOUT', { ...failure, limitMs })))
    outer?.addEventListener('abort', onOuter, { once: true })
    const release = () => {
      cancel()
      outer?.removeEventListener('abort', onOuter)
    }
    invoke(tap, withSignal(args, controller.signal)).then(resolve, reject).finally(release)
    controller.signal.addEventListener('abort', release, { once: true })
  })

const invoke = async (tap: Tap, args: unknown[]): Promise<unknown> => {
  if (tap.type !== 'async') return tap.fn(...args)
  return new Promise((resolve, reject) => {
    tap.fn(...args, (error: Error | null, result?: unknown) => (error ? reject(error) : resolve(result)))
  })
}

const settleFailure = (failure: TapFailure, thrown: unknown, policy: HookPolicy, world: TapWorld): void => {
  const error =
    thrown instanceof SysgError
      ? thrown
      : new SysgError(
          'SYSG_PLUGIN_FAILED',
          { ...failure, why: whyOf(thrown), errno: errnoOf(thrown) },
          { cause: thrown },
        )
  if (policy.onError === 'fail') throw error
  world.report(error, failure)
}

/** By convention the last argument of an asynchronous hook is an object with the operation's `signal`. */
const signalOf = (args: readonly unknown[]): AbortSignal | undefined => {
  const last = args.at(-1)
  const signal = typeof last === 'object' && last !== null && 'signal' in last ? last.signal : undefined
  return signal instanceof AbortSignal ? signal : undefined
}

const withSignal = (args: readonly unknown[], signal: AbortSignal): unknown[] =>
  signalOf(args) === undefined ? [...args] : [...args.slice(0, -1), Object.assign({}, args.at(-1), { signal })]

const failureOf = (hook: string, tap: Tap, args: readonly unknown[]): TapFailure => ({
  plugin: tap.plugin ?? tap.name,
  hook,
  service: serviceOf(args),
})

/** The service that a call is about: named, in `service`, of the `instance`, or, of what people see, the view itself. */
const serviceOf = (args: readonly unknown[]): string | undefined => {
  for (const arg of args) {
    if (typeof arg !== 'object' || arg === null) continue
    const { service, instance, name, last_lines } = arg as Readonly<Record<string, unknown>>
    if (typeof service === 'string') return service
    if (typeof service === 'object' && service !== null && 'name' in service) return String(service.name)
    if (typeof instance === 'object' && instance !== null) return serviceOf([instance])
    if (last_lines !== undefined) return String(name)
  }
  return undefined
}

const errnoOf = (thrown: unknown): string | undefined => (thrown instanceof HostError ? thrown.errno : undefined)
