/** How a running instance is replaced: what a deploy strategy gets to work with. Plugins bring strategies through `replace`. */
import type { ResolvedService } from './config/types.ts'
import type { LaunchSpec } from './launch-spec.ts'
import type { InstanceInfo } from './instance-info.ts'

/** One replica being replaced. Every call rejects as soon as the deploy is superseded. */
export interface Replacement {
  /** The config to bring up. */
  readonly service: ResolvedService
  readonly replica: number
  /** What serves now; `undefined` when it has ended. */
  readonly active: InstanceInfo | undefined
  /** Aborts when the deploy is superseded or a dependency is lost. */
  readonly signal: AbortSignal
  /** Do `body` as a named step: shown as progress, and named when it fails. */
  step<T>(name: string, body: () => Promise<T>): Promise<T>
  /**
   * Start the new instance; rejects when it cannot be launched. Beside a living active one it is a candidate; without one it is
   * the active one at once.
   * `refine` changes its launch spec after every `prepare` (a slot's port, for example).
   */
  launch(refine?: (spec: LaunchSpec) => LaunchSpec): Promise<InstanceInfo>
  /** Resolves when the new instance is ready; rejects with the reason when it ends or never will be. */
  ready(): Promise<void>
  /** The candidate serves from here on and the old one no longer counts. Recorded at once. Undone when a later step fails and the old one lives. */
  promote(): void
  /** Stop the instance that served before, and wait until nothing of it lives. */
  retire(): Promise<void>
  /** Wait, interrupted by the end of the new instance (rejects) and by `signal`. */
  pause(ms: number): Promise<void>
}

/** A deploy at its beginning: no replica has been touched. */
export type DeployBegin = Pick<Replacement, 'service' | 'signal' | 'step'>

/** A deploy of one replica that failed or was called off, while the new instance still runs. */
export interface Undoing {
  /** The config that was to be brought up. */
  readonly service: ResolvedService
  readonly replica: number
  /**
   * What serves from here on: the old instance if it lives, the new one if it had taken over and the old one is gone;
   * `undefined` when nothing does.
   */
  readonly active: InstanceInfo | undefined
  /** What the strategy has launched. It is removed afterwards, unless it is `active`. */
  readonly launched: InstanceInfo | undefined
  /** Why the deploy failed. */
  readonly why: string
  /** Aborts when `undoLimitMs` is over, or everything is to end at once. */
  readonly signal: AbortSignal
}

/**
 * A way to replace, made anew for each deploy. When `run` rejects, the old instance serves again, `undo` is awaited, and
 * the core removes the new instance. An error that has `lastLines` (text) gives them to the person who waits.
 */
export interface Strategy {
  readonly name: string
  /** Once per deploy, before its first replica. When it rejects, nothing has been touched. */
  prepare?(begin: DeployBegin): Promise<void>
  /** Replace one replica. Must end soon after its signal has aborted. */
  run(replacement: Replacement): Promise<void>
  /** Take back what `run` did outside (a proxy it switched). Called after `run` has ended. A failure is told and changes nothing. */
  undo?(undoing: Undoing): Promise<void>
  /** How long `undo` may take, ms. Default: a minute. */
  readonly undoLimitMs?: number
}

/** Stop, then start: what happens without a plugin. */
export const immediate: Strategy = {
  name: 'immediate',
  async run(replacement) {
    await replacement.step('stop', () => replacement.retire())
    await replacement.step('start', async () => {
      await replacement.launch()
      await replacement.ready()
    })
  },
}
