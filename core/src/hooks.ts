/**
 * Every hook of a system, declared once. The core is the only caller; plugins tap.
 *
 * One set of hooks per system, never per service; a tap is registered once and lives as long as the system.
 * Each tap runs under `tap-runner.ts`: with a time limit, a signal of its own, and its plugin's name on its failures.
 */
import {
  AsyncSeriesBailHook,
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  SyncBailHook,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable'
import { answerForms } from './answers.ts'
import type { ResolvedService, ResolvedSystem } from './config/types.ts'
import type { SysgEvent } from './events.ts'
import type { Exit, SpawnFailure, SpawnSpec, Spawned } from './host.ts'
import type { InspectAt, Inspection } from './inspection.ts'
import type { EndedRun, InstanceAt, InstanceInfo, ProbeVerdict } from './instance-info.ts'
import type { BootState, JournalEntry } from './journal.ts'
import type { LaunchSpec, MadeEnvironment } from './launch-spec.ts'
import type { Strategy } from './strategy.ts'
import type { ServiceView } from './system-api.ts'
import { interpret, type HookPolicy, type TapLimit, type TapWorld } from './tap-runner.ts'

/** Whether and how a service is started at boot. */
export type PlanDecision =
  { readonly mode: 'scheduled'; readonly reason: string } | { readonly mode: 'skip'; readonly reason: string }

/** Something that must be true before an instance counts as ready. */
export interface ReadyGate {
  /** For messages: `health check`, `notify`. */
  readonly name: string
  /** Resolves when the gate is open; rejects with the reason when it never will be. */
  open(at: InstanceAt): Promise<void>
}

/** What becomes of a replica whose run has ended. */
export type RetryDecision =
  | {
      readonly delayMs: number
      /** Count restarts from this one on: the run before was good for long enough. */
      readonly forget?: boolean
    }
  | { readonly giveUp: string }

/** A service whose running instances are about to be replaced. */
export interface Replacing {
  /** The config to bring up. */
  readonly service: ResolvedService
  /** The config of what runs. */
  readonly running: ResolvedService
  readonly signal: AbortSignal
}

/** tapable's asynchronous kinds; a tap of one may ask for its own time limit with `limitMs`. */
type AsyncSeries<T extends unknown[]> = AsyncSeriesHook<T, TapLimit>
type AsyncWaterfall<T extends unknown[]> = AsyncSeriesWaterfallHook<T, T[0], TapLimit>
type AsyncBail<T extends unknown[], R> = AsyncSeriesBailHook<T, R, TapLimit>

export interface Hooks {
  /**
   * Gather what an earlier supervisor of this system left: intents, instances that may still live, the last event number.
   *
   * Kind: waterfall, async. When: once, before anything is started. Error: the system does not start.
   */
  readonly boot: AsyncWaterfall<[state: BootState, at: { signal: AbortSignal }]>
  /**
   * Remember something that must survive the supervisor. Must be on disk when the tap returns.
   *
   * Kind: series, sync. When: before the core acts on it. Error: reported; the system goes on without the record.
   */
  readonly journal: SyncHook<[entry: JournalEntry]>
  /**
   * Hear what happened. The one stream that `sysg events`, webhooks and the log are made of.
   *
   * Kind: series, sync. When: right after the fact. Error: reported to the trace alone.
   */
  readonly event: SyncHook<[event: SysgEvent]>
  /**
   * Take up a new config, for plugins that keep something of the old one.
   *
   * Kind: series, async. When: the new config is in force, no service has been touched yet; also when an ad-hoc service
   * was added, or has been stopped and forgotten; not for a transient. Error: reported.
   */
  readonly reload: AsyncSeries<[change: { before: ResolvedSystem; after: ResolvedSystem; signal: AbortSignal }]>
  /**
   * Add what is worth knowing to those who have brought up the system or applied a config, though no service failed for it:
   * sentences that say what is missing and what to do.
   *
   * Kind: waterfall, async. When: services are ready or have failed, nobody has been told. Error: reported; the tap's
   * warnings are left out. A tap has two seconds.
   */
  readonly settled: AsyncWaterfall<[warnings: readonly string[], at: { signal: AbortSignal }]>
  /**
   * Finish: flush, close. What a plugin opened it should register with `onDispose` instead. `hurry` aborts when somebody
   * asks for the end at once: what is only waited for is then given up.
   *
   * Kind: series, async. When: every service has ended. Error: reported.
   */
  readonly shutdown: AsyncSeries<[at: { signal: AbortSignal; hurry: AbortSignal }]>

  /**
   * Decide whether a service is started at boot. No answer: it is.
   *
   * Kind: bail, async. When: at boot, and when its config changed. Error: the service is `failed`.
   */
  readonly plan: AsyncSeriesBailHook<[at: { service: ResolvedService; signal: AbortSignal }], PlanDecision | undefined>
  /**
   * Make the environment of a service's programs, as far as it is the same for its instances and its other commands.
   *
   * Kind: waterfall, async. Must claim nothing: it is also asked for commands beside an instance, such as `pre_start`.
   * When: before `prepare`, whose spec begins with it, and whenever a plugin asks `system.environment`.
   * Error: this start or command fails and names the plugin.
   */
  readonly environment: AsyncWaterfall<[made: MadeEnvironment, at: { service: ResolvedService; signal: AbortSignal }]>
  /**
   * Refine how an instance will be launched: argv, environment, folder, stdio, wrappers, inherited descriptors.
   *
   * Kind: waterfall, async. Each tap gets the spec the tap before it returned.
   * When: dependencies are satisfied and nothing runs yet; again for every instance.
   * Order: by stage; `0` for most plugins, `100` for those that wrap the final argv.
   * Error: this start fails and names the plugin. Other services carry on.
   */
  readonly prepare: AsyncWaterfall<[spec: LaunchSpec, at: InstanceAt]>
  /**
   * Do what has to be done before an instance runs, or refuse by throwing.
   *
   * Kind: series, async. When: after `prepare`. Error: this start fails and names the plugin.
   */
  readonly beforeStart: AsyncSeries<[at: InstanceAt]>
  /**
   * Run the instance. The first plugin to answer does; without an answer the host spawns it.
   *
   * Kind: bail, async. When: after `beforeStart`. Error: this start fails and names the plugin.
   */
  readonly launch: AsyncBail<[spec: SpawnSpec, at: InstanceAt], Spawned | SpawnFailure | undefined>
  /**
   * Hear that an instance runs.
   *
   * Kind: series, sync. When: its process exists; it is not ready yet. Error: reported.
   */
  readonly started: SyncHook<[instance: InstanceInfo]>
  /**
   * Hear that an instance of an earlier supervisor goes on. `started` is not called for it.
   *
   * Kind: series, sync. When: its process was found alive, before anything else happens to it. Error: reported.
   */
  readonly adopted: SyncHook<[instance: InstanceInfo, was: { readonly ready: boolean }]>
  /**
   * Add what must be true before an instance counts as ready. With no gate, it is ready after `startup_grace`.
   *
   * Kind: waterfall, sync. Pure: it is also asked to learn whether there are gates; only `open` begins something.
   * When: after `started` or `adopted`, and when the config of a running instance has changed. All gates must open.
   * Error: reported; the tap's gate is left out.
   */
  readonly ready: SyncWaterfallHook<[gates: readonly ReadyGate[], at: InstanceAt]>
  /**
   * Hear a verdict about the health of an instance, also of one that is not ready yet.
   *
   * Kind: series, sync. When: after each probe that counts. Error: reported.
   */
  readonly probed: SyncHook<[verdict: ProbeVerdict]>
  /**
   * Finish with the output of a run: read what is left, and add its last lines for the message that people get.
   *
   * Kind: waterfall, async. When: the tracked process has ended and nobody has been told. Error: reported.
   */
  readonly exited: AsyncSeriesWaterfallHook<
    [lastLines: readonly string[], run: { instance: InstanceInfo; exit: Exit; signal: AbortSignal }]
  >
  /**
   * Decide whether a replica whose run has ended by itself starts again. The first plugin to answer wins.
   *
   * Kind: bail, sync. Pure: it may be asked without consequence, to learn what would happen.
   * When: after `exited`; never for a stop that somebody asked for.
   * Error: reported and counts as no answer, and no answer means it stays down.
   */
  readonly retry: SyncBailHook<[run: EndedRun], RetryDecision | undefined>
  /**
   * Choose how a running service is replaced. No answer: stop, then start.
   *
   * Kind: bail, sync. When: a restart or a changed config reaches a running service. Error: the deploy fails.
   */
  readonly replace: SyncBailHook<[at: { service: ResolvedService; running: ResolvedService }], Strategy | undefined>
  /**
   * Do what the new instance needs and what may fail, while the old one still serves; or refuse by throwing.
   *
   * Kind: series, async. When: a deploy has begun, none of its steps has. Error: the deploy fails; what runs is left alone.
   */
  readonly beforeReplace: AsyncSeries<[at: Replacing]>
  /**
   * Do what has to be done before the stop signal is sent.
   *
   * Kind: series, async. When: the instance is `stopping`, its processes live. Error: reported; the stop goes on.
   */
  readonly beforeStop: AsyncSeries<[at: InstanceAt]>
  /**
   * Bring up to date what `view` adds, as somebody is about to look.
   *
   * Kind: series, async. When: before people are shown services (`status`, `inspect`); not before every `view`.
   * Error: reported; what is shown is older. A tap has two seconds.
   */
  readonly beforeView: AsyncSeries<[at: { signal: AbortSignal }]>
  /**
   * Say what belongs to an instance and must be over before the instance counts as ended: nothing takes its place before,
   * and whoever stops it waits.
   *
   * Kind: waterfall, sync. When: none of its processes lives; also a moment earlier, when its tracked process has ended by
   * itself, so a tap may be asked more than once. Error: reported; the instance ends without what the tap would have said.
   */
  readonly ending: SyncWaterfallHook<[works: readonly Promise<unknown>[], instance: InstanceInfo]>
  /**
   * Add to what people see of a service: fields of `status --json`, typed by augmenting `ServiceView`.
   *
   * Kind: waterfall, sync. Quick and pure: every `status` asks it of every service. Error: reported; the tap's part is left out.
   */
  readonly view: SyncWaterfallHook<[view: ServiceView]>
  /**
   * Add to what people learn who ask for everything about a service: fields of `inspect --json`, typed by augmenting
   * `Inspection`, and `sections` to read.
   *
   * Kind: waterfall, async. When: somebody runs `inspect`; `view` has been asked before. Secrets that are known are hidden afterwards.
   * Error: reported; the tap's part is left out.
   */
  readonly inspect: AsyncWaterfall<[found: Inspection, at: InspectAt]>
  /**
   * Hear that nothing of an instance lives any more.
   *
   * Kind: series, sync. Error: reported.
   */
  readonly stopped: SyncHook<[instance: InstanceInfo]>
}

const minute = 60_000

/** What each hook does with answers and failures; in the docs from here. */
export const hookPolicies = {
  boot: { kind: 'waterfall', onError: 'fail', limitMs: minute, answer: answerForms.boot },
  journal: { kind: 'series', onError: 'report', limitMs: minute },
  event: { kind: 'series', onError: 'report', limitMs: minute },
  reload: { kind: 'series', onError: 'report', limitMs: minute },
  settled: { kind: 'waterfall', onError: 'report', limitMs: 2_000, answer: answerForms.settled },
  shutdown: { kind: 'series', onError: 'report', limitMs: minute },
  plan: { kind: 'bail', onError: 'fail', limitMs: minute, answer: answerForms.plan },
  environment: { kind: 'waterfall', onError: 'fail', limitMs: minute, answer: answerForms.environment },
  prepare: { kind: 'waterfall', onError: 'fail', limitMs: minute, answer: answerForms.prepare },
  beforeStart: { kind: 'series', onError: 'fail', limitMs: minute },
  launch: { kind: 'bail', onError: 'fail', limitMs: minute, answer: answerForms.launch },
  started: { kind: 'series', onError: 'report', limitMs: minute },
  adopted: { kind: 'series', onError: 'report', limitMs: minute },
  ready: { kind: 'waterfall', onError: 'report', limitMs: minute, answer: answerForms.ready },
  probed: { kind: 'series', onError: 'report', limitMs: minute },
  exited: { kind: 'waterfall', onError: 'report', limitMs: 2_000, answer: answerForms.exited },
  retry: { kind: 'bail', onError: 'report', limitMs: minute, answer: answerForms.retry },
  replace: { kind: 'bail', onError: 'fail', limitMs: minute, answer: answerForms.replace },
  beforeReplace: { kind: 'series', onError: 'fail', limitMs: minute },
  beforeStop: { kind: 'series', onError: 'report', limitMs: 10_000 },
  beforeView: { kind: 'series', onError: 'report', limitMs: 2_000 },
  ending: { kind: 'waterfall', onError: 'report', limitMs: minute, answer: answerForms.ending },
  view: { kind: 'waterfall', onError: 'report', limitMs: minute, answer: answerForms.view },
  inspect: { kind: 'waterfall', onError: 'report', limitMs: 5_000, answer: answerForms.inspect },
  stopped: { kind: 'series', onError: 'report', limitMs: minute },
} as const satisfies Record<keyof Hooks, HookPolicy>

/** A fresh set of hooks, run by our interpreter. */
export const createHooks = (world: TapWorld): Hooks => {
  const hooks: Hooks = {
    boot: new AsyncSeriesWaterfallHook(['state', 'at'], 'boot'),
    journal: new SyncHook(['entry'], 'journal'),
    event: new SyncHook(['event'], 'event'),
    reload: new AsyncSeriesHook(['change'], 'reload'),
    settled: new AsyncSeriesWaterfallHook(['warnings', 'at'], 'settled'),
    shutdown: new AsyncSeriesHook(['at'], 'shutdown'),
    plan: new AsyncSeriesBailHook(['at'], 'plan'),
    environment: new AsyncSeriesWaterfallHook(['made', 'at'], 'environment'),
    prepare: new AsyncSeriesWaterfallHook(['spec', 'at'], 'prepare'),
    beforeStart: new AsyncSeriesHook(['at'], 'beforeStart'),
    launch: new AsyncSeriesBailHook(['spec', 'at'], 'launch'),
    started: new SyncHook(['instance'], 'started'),
    adopted: new SyncHook(['instance', 'was'], 'adopted'),
    ready: new SyncWaterfallHook(['gates', 'at'], 'ready'),
    probed: new SyncHook(['verdict'], 'probed'),
    exited: new AsyncSeriesWaterfallHook(['lastLines', 'run'], 'exited'),
    retry: new SyncBailHook(['run'], 'retry'),
    replace: new SyncBailHook(['at'], 'replace'),
    beforeReplace: new AsyncSeriesHook(['at'], 'beforeReplace'),
    beforeStop: new AsyncSeriesHook(['at'], 'beforeStop'),
    beforeView: new AsyncSeriesHook(['at'], 'beforeView'),
    ending: new SyncWaterfallHook(['works', 'instance'], 'ending'),
    view: new SyncWaterfallHook(['view'], 'view'),
    inspect: new AsyncSeriesWaterfallHook(['found', 'at'], 'inspect'),
    stopped: new SyncHook(['instance'], 'stopped'),
  }
  for (const name of Object.keys(hookPolicies) as (keyof Hooks)[]) interpret(hooks[name], hookPolicies[name], world)
  return Object.freeze(hooks)
}
