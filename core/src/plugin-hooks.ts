/** Hooks that plugins offer to other plugins. They run as those of the core do; the plugin that declares one calls it. */
import {
  AsyncSeriesBailHook,
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  SyncBailHook,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable'
import type { z } from 'zod'
import { SysgError } from './errors.ts'
import type { Plugin } from './plugin.ts'
import { interpret, type HookPolicy, type TapLimit, type TapWorld } from './tap-runner.ts'

/**
 * The hooks of plugins, by name. A plugin adds its own:
 *
 * @example
 * declare module '@systemg/core' {
 *   interface PluginHooks {
 *     'canary:verdict': { kind: 'async bail'; args: [at: { signal: AbortSignal }]; answer: { why: string } }
 *   }
 * }
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- plugins add to it
export interface PluginHooks {}

export type PluginHookName = Extract<keyof PluginHooks, string>

/** What is said of a hook in `PluginHooks`. By convention the last argument of an `async` one has the operation's `signal`. */
interface HookShape {
  readonly kind: `${'sync' | 'async'} ${HookPolicy['kind']}`
  readonly args: unknown[]
  /** Of `bail`: what a tap may answer. A tap of a `waterfall` answers with another first argument. */
  readonly answer?: unknown
}

/** What a tap of the hook may answer. */
type AnswerOf<S> = S extends { kind: `${string} waterfall`; args: [infer First, ...unknown[]] }
  ? First
  : S extends { answer: infer Answer }
    ? Answer
    : undefined

/** tapable's class for a shape. */
type HookOf<S> = S extends { kind: infer Kind; args: infer Args extends unknown[] }
  ? {
      'sync series': SyncHook<Args>
      'sync bail': SyncBailHook<Args, AnswerOf<S> | undefined>
      'sync waterfall': SyncWaterfallHook<Args>
      'async series': AsyncSeriesHook<Args, TapLimit>
      'async bail': AsyncSeriesBailHook<Args, AnswerOf<S> | undefined, TapLimit>
      'async waterfall': AsyncSeriesWaterfallHook<Args, Args[0], TapLimit>
    }[Kind & HookShape['kind']]
  : never

/** A hook as its plugin declares it. */
export interface PluginHook<Shape = HookShape> {
  /** `series`: every tap runs; `bail`: the first answer wins; `waterfall`: each answer replaces the first argument. */
  readonly kind: Shape extends { kind: infer Kind } ? Kind : never
  /** What it asks or tells, and when. */
  readonly description: string
  /** A tap that fails: `report` it and go on, or `fail` the call, naming the tap's plugin. */
  readonly onError: 'report' | 'fail'
  /** What one tap of an `async` hook may take, ms. Default: a minute. */
  readonly limitMs?: number
  /** What a tap may answer; anything else is a failure of the tap. Its description is used in the message. */
  readonly answer?: z.ZodType<AnswerOf<Shape>>
}

/** What a plugin offers, by name: `<its own name>:<word>`. */
export type OfferedHooks = { readonly [Name in PluginHookName]?: PluginHook<PluginHooks[Name]> }

/**
 * A hook of a plugin: to tap it, or, by the plugin that offers it, to call it. It does not matter which of them is set up
 * first. One that no plugin of the system offers is called by nobody, so taps of it do nothing.
 */
export type HookAccess = <Name extends PluginHookName>(name: Name) => HookOf<PluginHooks[Name]>

export interface PluginHookSet {
  readonly hookOf: HookAccess
  /** Names of those that have taps, in the order in which they were asked for. */
  readonly tapped: () => readonly string[]
}

const minute = 60_000

/** tapable counts arguments to know what a tap gets; our interpreter passes on all. */
const given: ['first'] = ['first']

const create = {
  'sync series': (name: string) => new SyncHook(given, name),
  'sync bail': (name: string) => new SyncBailHook(given, name),
  'sync waterfall': (name: string) => new SyncWaterfallHook(given, name),
  'async series': (name: string) => new AsyncSeriesHook(given, name),
  'async bail': (name: string) => new AsyncSeriesBailHook(given, name),
  'async waterfall': (name: string) => new AsyncSeriesWaterfallHook(given, name),
} as const satisfies Record<HookShape['kind'], unknown>

/** @throws {SysgError} `SYSG_PLUGIN_HOOK`. */
export const createPluginHooks = (plugins: readonly Plugin[], world: TapWorld): PluginHookSet => {
  const offered = offeredHooks(plugins)
  const hooks = new Map<string, ReturnType<(typeof create)[HookShape['kind']]>>()
  const hookOf = (name: string) => {
    const known = hooks.get(name)
    if (known !== undefined) return known
    // Nobody calls one that nobody offers: the kind that takes every kind of tap will do.
    const { kind, ...policy } = offered.get(name) ?? unoffered
    const hook = interpret(create[kind](name), policyOf(kind, policy), world)
    hooks.set(name, hook)
    return hook
  }
  return {
    hookOf: hookOf as HookAccess,
    tapped: () => [...hooks].filter(([, { taps }]) => taps.length > 0).map(([name]) => name),
  }
}

/** Every hook that plugins offer. @throws {SysgError} `SYSG_PLUGIN_HOOK` for a name that is not the plugin's to give. */
export const offeredHooks = (plugins: readonly Plugin[]): ReadonlyMap<string, PluginHook> => {
  const all = plugins.flatMap(({ name: plugin, hooks = {} }) =>
    Object.entries<PluginHook | undefined>(hooks).map(([name, hook]) => {
      if (hook === undefined || !Object.hasOwn(create, hook.kind))
        throw new SysgError('SYSG_PLUGIN_HOOK', { plugin, name, why: `its \`kind\` is none of ${kinds}` })
      if (!name.startsWith(`${plugin}:`) || !/^[a-z][A-Za-z0-9]*$/.test(name.slice(plugin.length + 1)))
        throw new SysgError('SYSG_PLUGIN_HOOK', { plugin, name, why: `a name is \`${plugin}:\` and one word` })
      return [name, hook] as const
    }),
  )
  return new Map(all)
}

const kinds = Object.keys(create)
  .map((kind) => `\`${kind}\``)
  .join(', ')

const unoffered: PluginHook = { kind: 'async series', description: '', onError: 'report' }

const policyOf = (
  kind: HookShape['kind'],
  { onError, limitMs = minute, answer }: Omit<PluginHook, 'kind'>,
): HookPolicy => ({
  kind: kind.split(' ')[1] as HookPolicy['kind'],
  onError,
  limitMs,
  ...(answer === undefined
    ? {}
    : {
        answer: {
          fits: (said) => answer.safeParse(said).success,
          words: answer.description ?? 'something else',
        },
      }),
})
