/** How a running instance is replaced: what a deploy strategy gets to work with. Plugins bring strategies through `replace`. */
import type { ResolvedService } from './config/types.ts'
import type { InstanceInfo, LaunchSpec } from './hooks.ts'

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
   * Start the new instance. Beside a living active one it is a candidate; without one it is the active one at once.
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

/** A way to replace. When `run` rejects, the core removes the new instance and leaves the old one serving. */
export interface Strategy {
  readonly name: string
  run(replacement: Replacement): Promise<void>
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
