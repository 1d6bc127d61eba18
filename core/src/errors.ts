/**
 * Every error a user can meet, by a code that never changes. Wording may change; codes may not.
 *
 * Used as `throw new SysgError('SYSG_SERVICE_UNKNOWN', { name })`. Plugins add codes of their own with `SysgError.of`.
 */
import { configErrors } from './config/errors.ts'
import { isOfClass } from './error-class.ts'

/** Where in a config file a mistake stands. Lines and columns count from 1. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
  /** Column just behind the marked text, on the same line. */
  readonly endColumn?: number
}

export interface ErrorText {
  /** What happened and why. */
  readonly message: string
  /** What to do next. */
  readonly hint?: string
}

/** Functions from facts to text, by code: the shape of `catalog`. */
export type ErrorCatalog = Record<`SYSG_${string}`, (facts: never) => ErrorText>

const list = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ')

export const catalog = {
  SYSG_INTERNAL_TRANSITION: (facts: { table: string; from: string; cue: string }) => ({
    message: `The ${facts.table} table has no move from \`${facts.from}\` on \`${facts.cue}\`.`,
    hint: 'This is a bug in systemg. Please report it with the output of `sysg events --json`.',
  }),
  SYSG_DEPENDENCY_CYCLE: (facts: { path: readonly string[] }) => ({
    message: `Services depend on each other in a circle: ${facts.path.join(' → ')}.`,
    hint: 'Remove one of these `depends_on` entries.',
  }),
  SYSG_DEPENDENCY_UNKNOWN: (facts: { service: string; name: string; suggestion?: string | undefined }) => ({
    message: `\`${facts.service}\` depends on \`${facts.name}\`, which is not a service of this config.`,
    hint:
      facts.suggestion === undefined
        ? 'Declare it under `services`, or remove it here.'
        : `Did you mean \`${facts.suggestion}\`?`,
  }),
  SYSG_DEPENDENCY_STOPPED: (facts: { service: string; names: readonly string[] }) => ({
    message: `\`${facts.service}\` needs ${list(facts.names)}, which you stopped.`,
    hint: `Start ${facts.names.length === 1 ? 'it' : 'them'} first (\`sysg start -s ${facts.names.join(' -s ')}\`), or use \`sysg start -s ${facts.service} --with-deps\`.`,
  }),
  SYSG_DEPENDENCY_DOWN: (facts: { service: string; names: readonly string[]; reason: string }) => ({
    message: `\`${facts.service}\` can't be replaced now: ${facts.reason}.`,
    hint: `What runs was left alone. Bring back what it needs first: \`sysg start -s ${facts.names.join(' -s ')}\`.`,
  }),
  SYSG_SERVICE_UNKNOWN: (facts: { name: string; suggestion?: string | undefined }) => ({
    message: `There is no service \`${facts.name}\`.`,
    hint:
      facts.suggestion === undefined ? '`sysg status` lists the services.' : `Did you mean \`${facts.suggestion}\`?`,
  }),
  SYSG_NAME_TAKEN: (facts: { name: string; command: string; isAdHoc: boolean; isSame: boolean }) => ({
    message: `The name \`${facts.name}\` is taken by ${takenBy(facts)} (${facts.command}).`,
    hint: facts.isAdHoc
      ? `\`sysg stop -s ${facts.name}\` ends and forgets it; another \`--name\` starts one beside it.`
      : `\`sysg start -s ${facts.name}\` starts that one; another \`--name\` starts yours beside it.`,
  }),
  SYSG_SERVICE_TRANSIENT: (facts: { name: string }) => ({
    message: `\`${facts.name}\` was started by a program and runs once: it can't be started again, restarted or scaled.`,
    hint: `\`sysg stop -s ${facts.name}\` ends it; the program that started it can start it anew.`,
  }),
  SYSG_INSTANCE_GONE: (facts: { instance: string }) => ({
    message: `The instance \`${facts.instance}\` has ended, or is about to: nothing can be started for it.`,
    hint: '`sysg status` shows what runs.',
  }),
  SYSG_AD_HOC_IN_THE_WAY: (facts: { names: readonly string[] }) => ({
    message: `The config has ${list(facts.names)}, and an ad-hoc service of ${facts.names.length === 1 ? 'this name' : 'each of these names'} runs. Nothing was changed.`,
    hint: `End the ad-hoc one first (\`sysg stop -s ${facts.names.join(' -s ')}\`; with no supervisor, \`sysg stop\`), or choose another name in the config.`,
  }),
  SYSG_SPAWN_FAILED: (facts: { service: string; errno: string; why: string; program?: string | undefined }) => ({
    message: `\`${facts.service}\` could not be started: ${facts.why} (${facts.errno}).`,
    hint: hintAtWords(facts) ?? spawnHints[facts.errno] ?? 'Check the program and the folder it runs in.',
  }),
  SYSG_START_FAILED: (facts: {
    service: string
    reason: string
    /** What to do about the reason. */
    advice?: string | undefined
  }) => ({
    message: `\`${facts.service}\` did not start: ${facts.reason}.`,
    hint: `${facts.advice === undefined ? '' : `${facts.advice} `}\`sysg logs ${facts.service}\` shows what it wrote.`,
  }),
  SYSG_RUN_FAILED: (facts: { service: string; reason: string }) => ({
    message: `The run of \`${facts.service}\` failed: ${facts.reason}.`,
    hint: `\`sysg logs ${facts.service}\` shows what it wrote.`,
  }),
  SYSG_START_BLOCKED: (facts: {
    service: string
    reason: string
    /** What it comes down to, when that stays down until a person starts it. */
    down?: string | undefined
  }) => ({
    message: `\`${facts.service}\` is blocked: ${facts.reason}.`,
    hint:
      facts.down === undefined
        ? 'It starts by itself as soon as what it needs is there.'
        : `\`sysg start -s ${facts.down}\` starts \`${facts.down}\` again; \`${facts.service}\` follows by itself.`,
  }),
  SYSG_DEPLOY_FAILED: (facts: {
    service: string
    step: string
    reason: string
    /** What could not be taken back, and why. */
    undo?: string | undefined
    /** What serves afterwards. */
    serving?: string | undefined
    /** What to do about the reason. */
    advice?: string | undefined
  }) => ({
    message: `The deploy of \`${facts.service}\` failed in step \`${facts.step}\`: ${facts.reason}.${facts.undo === undefined ? '' : ` Taking it back failed, too: ${facts.undo}.`}`,
    hint: `${facts.serving ?? 'What served before was kept when the strategy could'}. ${facts.advice === undefined ? '' : `${facts.advice} `}\`sysg logs ${facts.service}\` shows what was written.`,
  }),
  SYSG_DEPLOY_SUPERSEDED: (facts: { service: string; by: string }) => ({
    message: `The deploy of \`${facts.service}\` was superseded by ${facts.by}.`,
    hint: 'Nothing to do: the later command decides.',
  }),
  SYSG_STOP_INCOMPLETE: (facts: { service: string; pids: readonly number[] }) => ({
    message: `\`${facts.service}\` is not gone: pid ${facts.pids.join(', ')} does not die (uninterruptible).`,
    hint: 'The kernel holds it, usually for a disk or network file system. It is watched, and no second copy is started.',
  }),
  SYSG_SERVICE_DAEMONIZED: (facts: { service: string }) => ({
    message: `\`${facts.service}\` put itself into the background: its program ended and left processes behind.`,
    hint: 'Run it in the foreground (often `--foreground`, `-F` or `daemon off`): the processes left behind were ended.',
  }),
  SYSG_PLUGIN_FAILED: (facts: {
    plugin: string
    hook: string
    service?: string | undefined
    why: string
    /** What the machine refused. */
    errno?: string | undefined
  }) => ({
    message: `Plugin \`${facts.plugin}\` failed in \`${facts.hook}\`${facts.service === undefined ? '' : ` of \`${facts.service}\``}: ${facts.why}.`,
    hint:
      spawnHints[facts.errno ?? ''] ??
      'This operation failed; everything else goes on. `--log-level debug` shows the stack.',
  }),
  SYSG_PLUGIN_TIMEOUT: (facts: { plugin: string; hook: string; service?: string | undefined; limitMs: number }) => ({
    message: `Plugin \`${facts.plugin}\` did not answer \`${facts.hook}\`${facts.service === undefined ? '' : ` of \`${facts.service}\``} within ${facts.limitMs} ms.`,
    hint: 'Its signal was aborted. Give the tap a longer `limitMs` if the work really takes that long.',
  }),
  SYSG_PLUGIN_DUPLICATE: (facts: { plugin: string }) => ({
    message: `Two plugins are called \`${facts.plugin}\`.`,
    hint: 'List each plugin once under `plugins`; the first-party ones are always there.',
  }),
  SYSG_PLUGIN_KEY_TAKEN: (facts: { plugin: string; other: string; key: string; scope: string }) => ({
    message: `Plugins \`${facts.other}\` and \`${facts.plugin}\` both claim the ${facts.scope} key \`${facts.key}\`.`,
    hint: 'Remove one of them from `plugins`.',
  }),
  SYSG_PLUGIN_API: (facts: { plugin: string; wants: number; has: number }) => ({
    message: `Plugin \`${facts.plugin}\` was made for plugin API ${facts.wants}; this systemg has ${facts.has}.`,
    hint: 'Install a version of the plugin that fits, or another systemg.',
  }),
  SYSG_PLUGIN_ORDER: (facts: { path: readonly string[] }) => ({
    message: `Plugins want to be set up before each other in a circle: ${facts.path.join(' → ')}.`,
    hint: 'Remove a `before` or `after` of one of them.',
  }),
  SYSG_PLUGIN_COMMAND: (facts: { plugin: string; name: string; why: string }) => ({
    message: `Plugin \`${facts.plugin}\` can't bring the command \`${facts.name}\`: ${facts.why}.`,
    hint: 'Name it after the plugin (`redis-flush`); if the plugin is not yours, leave it out of `plugins`.',
  }),
  SYSG_PLUGIN_HOOK: (facts: { plugin: string; name: string; why: string }) => ({
    message: `Plugin \`${facts.plugin}\` can't offer the hook \`${facts.name}\`: ${facts.why}.`,
    hint: "For example `hooks: { 'canary:verdict': { kind: 'async bail', description, onError } }`.",
  }),
  SYSG_REGISTRY_TAKEN: (facts: { kind: string; name: string; plugin: string; other: string }) => ({
    message: `Plugins \`${facts.other}\` and \`${facts.plugin}\` both register the ${facts.kind} \`${facts.name}\`.`,
    hint: 'Remove one of them from `plugins`.',
  }),
  SYSG_METRIC_NAME: (facts: { plugin: string; name: string; why: string }) => ({
    message: `Plugin \`${facts.plugin}\` registers the metric \`${facts.name}\`: ${facts.why}.`,
    hint: 'A name is letters, digits, `_` and `:`, with the unit in it: `queue_jobs_total`, `queue_wait_seconds`.',
  }),
  SYSG_PLUGIN_UNDECLARED: (facts: { plugin: string; kind: 'probes' | 'strategies'; name: string }) => ({
    message: `Plugin \`${facts.plugin}\` registers \`${facts.name}\`, which its \`${facts.kind}\` does not declare.`,
    hint: `Declare it: \`definePlugin({ ${facts.kind}: { ${facts.name}: <schema> } })\`. A config is checked against what is declared.`,
  }),
  SYSG_PLUGIN_UNREGISTERED: (facts: { plugin: string; kind: 'probes' | 'strategies'; name: string }) => ({
    message: `Plugin \`${facts.plugin}\` declares \`${facts.name}\` in \`${facts.kind}\`, but its \`setup\` does not register it.`,
    hint: `Call \`${facts.kind === 'probes' ? 'registerProbe' : 'registerStrategy'}('${facts.name}', …)\` in \`setup\`.`,
  }),
  SYSG_SCALE_COUNT: (facts: { service: string; replicas: number; max: number }) => ({
    message: `\`${facts.service}\` can't have ${facts.replicas} replicas.`,
    hint: `Give a whole number from 0 to ${facts.max}.`,
  }),
  SYSG_REPLICAS_INCOMPLETE: (facts: { service: string; reason: string }) => ({
    message: `\`${facts.service}\` does not have all its replicas: ${facts.reason}.`,
    hint: `Those that are ready go on. \`sysg logs ${facts.service}\` shows what the others said.`,
  }),
  SYSG_SHUTTING_DOWN: () => ({
    message: 'The system is stopping.',
    hint: 'Wait until `sysg stop` has returned, then start it again.',
  }),
  SYSG_STOPPED_MEANWHILE: () => ({
    message: 'The system was stopped before this was done.',
    hint: '`sysg start` starts it again.',
  }),
  SYSG_TIMEOUT: (facts: { what: string; limitMs: number }) => ({
    message: `${facts.what} took longer than ${facts.limitMs} ms.`,
    hint: 'It goes on in the background; `sysg status` shows how far it is. `--timeout` waits longer.',
  }),
  ...configErrors,
  /** Carries a text of somebody else; `SysgError.of` gives it its real code. */
  SYSG_UNLISTED: (text: ErrorText): ErrorText => text,
} satisfies ErrorCatalog

const takenBy = ({ isAdHoc, isSame }: { isAdHoc: boolean; isSame: boolean }): string =>
  isAdHoc ? `an ad-hoc service${isSame ? '' : ' with another command'}` : 'a service of the config'

/** Somebody wrote a command line where a program and its arguments belong. */
const hintAtWords = ({ errno, program = '' }: { errno: string; program?: string | undefined }): string | undefined => {
  if (errno !== 'ENOENT') return undefined
  const words = program.trim().split(/\s+/)
  if (words.length < 2) return undefined
  const listed = words.map((word) => `'${word}'`).join(', ')
  return `Write each word by itself: \`exec: [${listed}]\`, \`-- ${words.join(' ')}\`; or as \`command\`, which is split. Otherwise check the spelling, PATH and \`working_dir\`.`
}

const spawnHints: Partial<Record<string, string>> = {
  ENOENT: 'Check the spelling, PATH and `working_dir`: the program or the folder does not exist.',
  EACCES: 'Make the program executable (`chmod +x`), and its folders accessible.',
  EISDIR: 'Name a program that can be run: this is the path of a folder.',
  ENOEXEC: 'Give the script a first line such as `#!/bin/sh`.',
  EAGAIN: 'The machine is out of processes for this user (`ulimit -u`, `pids.max`).',
  EMFILE: 'The supervisor is out of file descriptors (`ulimit -n`).',
  ENFILE: 'The machine is out of file descriptors (`fs.file-max`).',
  ENOSPC: 'The disk is full: free some space.',
  ENOMEM: 'The machine is out of memory.',
}

type CoreCode = keyof typeof catalog
type FactsOf<C extends CoreCode> = Parameters<(typeof catalog)[C]>[0]

export interface SysgErrorOptions {
  readonly cause?: unknown
  readonly at?: Position | undefined
  /** What the program or command wrote last that the error is about. */
  readonly lastLines?: readonly string[] | undefined
}

/** A mistake or failure that a user can do something about: what, why, and the next step. */
export class SysgError extends Error {
  static override [Symbol.hasInstance] = isOfClass('SysgError')
  override readonly name = 'SysgError'
  readonly code: string
  readonly hint: string | undefined
  readonly at: Position | undefined
  readonly lastLines: readonly string[] | undefined

  constructor(...args: { [C in CoreCode]: [code: C, facts: FactsOf<C>, options?: SysgErrorOptions] }[CoreCode]) {
    const [code, facts, options = {}] = args
    const text = (catalog[code] as (facts: unknown) => ErrorText)(facts)
    super(text.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = text.hint
    this.at = options.at
    this.lastLines = options.lastLines
  }

  /** An error whose code is not in the core's catalogue: a plugin's own, or one that came over the wire. */
  static of(code: string, text: ErrorText, options: SysgErrorOptions = {}): SysgError {
    const error = new SysgError('SYSG_UNLISTED', text, options)
    Object.defineProperty(error, 'code', { value: code, enumerable: true })
    return error
  }
}

/** The message of anything that was thrown, without a stack and without a final full stop. */
export const whyOf = (thrown: unknown): string =>
  (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\.$/, '')

/** What to do about what was thrown, as far as it, or what caused it, knows more than where to look. */
export const adviceOf = (thrown: unknown): string | undefined => {
  if (!(thrown instanceof Error)) return undefined
  const knows = thrown instanceof SysgError && thrown.code !== 'SYSG_START_FAILED'
  return knows ? thrown.hint : adviceOf(thrown.cause)
}
