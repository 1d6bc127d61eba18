/**
 * Watches a new instance beside the old one for a while, and takes it back when it does worse.
 *
 * Brings the deploy strategy `canary`. While both run they share the work: by one of `sockets`, or by a proxy that `share`
 * tells of it. Offers the hook `canary:verdict`: a plugin that knows more than the command `check` may take it back.
 */
import { definePlugin, duration, z, type PluginApi, type Replacement, type Strategy } from '@systemg/core'

const canary = z
  .strictObject({
    watch: duration.prefault('1m').describe('How long the new instance is watched beside the old one.'),
    interval: duration.prefault('5s').describe('From one check to the next.'),
    check: z
      .string()
      .describe('A command that fails when the new instance does worse. It gets `CANARY_PID` and `CANARY_INSTANCE`.'),
    tolerate: z.int().min(0).default(0).describe('How many checks may fail in the window.'),
    timeout: duration.prefault('10s').describe('How long one check may take.'),
    share: z.string().optional().describe('A command that gives the new instance `CANARY_PERCENT` of the work.'),
    percent: z.int().min(1).max(99).default(5).describe('How much of the work that is in the window.'),
  })
  .describe('How the new instance is watched.')

type Canary = z.output<typeof canary>

declare module '@systemg/core' {
  interface StrategyConfigs {
    /** How the new instance is watched. From `systemg-plugin-canary`. */
    canary: z.input<typeof canary>
  }
  interface ResolvedStrategies {
    canary: Canary
  }
  interface PluginHooks {
    /** Asked when the window is over and every check was good enough. From `systemg-plugin-canary`. */
    'canary:verdict': { kind: 'async bail'; args: [at: CanaryAt]; answer: Verdict }
  }
}

/** A new instance at the end of its window. */
export interface CanaryAt {
  readonly service: string
  /** Its id. */
  readonly instance: string
  /** How many checks failed. */
  readonly failed: number
  readonly signal: AbortSignal
}

const verdict = z.strictObject({ takeBack: z.string() }).describe('`{ takeBack }`, the reason')

type Verdict = z.output<typeof verdict>

export default definePlugin({
  name: 'canary',
  strategies: { canary },
  hooks: {
    'canary:verdict': {
      kind: 'async bail',
      description: 'Whether the new instance, whose checks were good, is taken back all the same.',
      onError: 'fail',
      limitMs: 30_000,
      answer: verdict,
    },
  },
  setup(api) {
    api.registerStrategy('canary', ({ options }) => strategy(api, options as Canary))
  },
})

const strategy = (api: PluginApi, options: Canary): Strategy => ({
  name: 'canary',
  async run(replacement) {
    await replacement.step('candidate', () => replacement.launch())
    await replacement.step('ready', () => replacement.ready())
    await replacement.step('share', () => share(api, options, replacement, options.percent))
    const failed = await replacement.step('watch', () => watch(api, options, replacement))
    await replacement.step('verdict', () => ask(api, replacement, failed))
    await replacement.step('share', () => share(api, options, replacement, 100))
    replacement.promote()
    await replacement.step('retire', () => replacement.retire())
  },
  undo: (undoing) => share(api, options, undoing, 0),
})

/** How many checks failed. @throws {Error} when that were too many. */
const watch = async (api: PluginApi, options: Canary, replacement: Replacement): Promise<number> => {
  const { clock } = api.host
  const end = clock.monotonic() + options.watch
  let failed = 0
  while (clock.monotonic() < end) {
    await replacement.pause(Math.min(options.interval, end - clock.monotonic()))
    const why = await check(api, options, replacement)
    if (why !== undefined && ++failed > options.tolerate) throw new Error(`the new instance does worse: ${why}`)
  }
  return failed
}

/** What other plugins say. @throws {Error} when one wants it back, or fails to say. */
const ask = async (api: PluginApi, replacement: Replacement, failed: number): Promise<void> => {
  const { service, signal } = replacement
  const instance = candidateOf(api, replacement)?.id ?? ''
  const said = await api.hookOf('canary:verdict').promise({ service: service.name, instance, failed, signal })
  if (said !== undefined) throw new Error(said.takeBack)
}

const candidateOf = ({ system }: PluginApi, { service }: Replacement) =>
  system.view([service.name])[0]?.instances.find(({ role }) => role === 'candidate')

/** Why a check failed; `undefined` when it did not. */
const check = async (api: PluginApi, options: Canary, replacement: Replacement): Promise<string | undefined> => {
  const candidate = candidateOf(api, replacement)
  const facts = { CANARY_PID: String(candidate?.pid ?? ''), CANARY_INSTANCE: candidate?.id ?? '' }
  const limit = new AbortController()
  const cancel = api.host.clock.timer(options.timeout, () => limit.abort(new Error('timeout')))
  try {
    return await run(api, options.check, replacement, facts, AbortSignal.any([replacement.signal, limit.signal]))
  } catch (thrown) {
    if (limit.signal.aborted && !replacement.signal.aborted) return `the check took longer than ${options.timeout} ms`
    throw thrown
  } finally {
    cancel()
  }
}

const share = async (
  api: PluginApi,
  options: Canary,
  of: Pick<Replacement, 'service' | 'signal'>,
  percent: number,
): Promise<void> => {
  if (options.share === undefined) return
  const why = await run(api, options.share, of, { CANARY_PERCENT: String(percent) }, of.signal)
  if (why !== undefined) throw new Error(`\`${options.share}\` failed: ${why}`)
}

/** Runs a command as the service would. Gives the reason when it fails. */
const run = async (
  { host, system }: PluginApi,
  command: string,
  { service }: Pick<Replacement, 'service'>,
  facts: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string | undefined> => {
  const env = { ...(await system.environment(service, signal)), ...facts }
  const argv: [string, ...string[]] = ['/bin/sh', '-c', command]
  const { exit, output, failure } = await host.run({ argv, env, cwd: service.working_dir, signal })
  signal.throwIfAborted()
  if (failure !== undefined) return failure.message
  if (exit.code === 0) return undefined
  return output.trim().split('\n').at(-1) || `exit code ${exit.code ?? exit.signal ?? 'unknown'}`
}
