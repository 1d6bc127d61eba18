/**
 * What can go wrong in the command itself. Client commands must start fast, so this file imports nothing; its codes
 * stand beside the core's catalogue in the docs.
 */
export interface FailureText {
  readonly message: string
  readonly hint?: string
}

const duration = (ms: number) => (ms % 1_000 === 0 ? `${ms / 1_000} s` : `${ms} ms`)

const quoted = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(', ')

const outside = ({ missing }: { missing: readonly string[] }) =>
  `This is not inside of a service: ${quoted(missing)} ${missing.length === 1 ? 'is' : 'are'} not in the environment.`

/** What helps against what a machine refuses, by errno. */
const remedies: Partial<Record<string, string>> = {
  ENOSPC: 'Free some space there, or set SYSG_HOME to a folder on another disk.',
  EDQUOT: 'The quota of this user is used up: free some space, or set SYSG_HOME to a folder on another disk.',
  EROFS: 'The file system is read-only: set SYSG_HOME to a folder that can be written to.',
  EACCES: 'Check who owns it, and its permissions; SYSG_HOME names another folder for state.',
  EPERM: 'Check who owns it, and its permissions; SYSG_HOME names another folder for state.',
  EMFILE: 'This process is out of file descriptors: raise `ulimit -n`.',
  ENFILE: 'The machine is out of file descriptors: raise `fs.file-max`.',
  EAGAIN: 'This user has too many processes: raise `ulimit -u` (or `pids.max` of the container).',
  ENOMEM: 'The machine is out of memory.',
  EBADMSG: 'The file is damaged: move it away, and try again.',
}

export const failures = {
  SYSG_MACHINE: (facts: { why: string; errno: string }) => ({
    message: `${facts.why} (${facts.errno}).`,
    hint: `${remedies[facts.errno] ?? 'The system refused it.'} docs/guide/machine.md says what systemg does meanwhile.`,
  }),
  SYSG_STATE_LOST: (facts: { folder: string; pids: readonly number[] }) => ({
    message: `Processes of this project run that nothing is recorded of in ${facts.folder}: pid ${facts.pids.join(', ')}. A start would make second copies of them.`,
    hint: 'The state was damaged or removed while they ran. `sysg purge` ends them; then start again.',
  }),
  SYSG_USAGE: (facts: { message: string; command?: string | undefined }) => ({
    message: facts.message,
    hint: `\`sysg ${facts.command === undefined ? '' : `${facts.command} `}--help\` shows what it takes.`,
  }),
  SYSG_PLUGIN_NOT_RUNNING: (facts: { plugin: string; method: string }) => ({
    message: `The supervisor does not know \`${facts.method}\`: it runs without the plugin \`${facts.plugin}\`, or with another version of it.`,
    hint: '`sysg restart` takes up what the config lists, or says that `sysg stop` and `sysg start` are needed for it.',
  }),
  SYSG_NO_SUPERVISOR: (facts: { project: string; stopped?: string }) => ({
    message:
      facts.stopped === undefined
        ? `No supervisor runs for ${facts.project}.`
        : `No supervisor ran for ${facts.project} then: ${facts.stopped}.`,
    hint: '`sysg start -d` starts one in the background, `sysg start` in this terminal.',
  }),
  SYSG_PAST_UNKNOWN: (facts: { at: string; knownSince: string | undefined }) => ({
    message: `How things were at ${facts.at} is not known: ${facts.knownSince === undefined ? 'no events are kept from which it could be told' : `events tell it since ${facts.knownSince}`}.`,
    hint: '`sysg events -l all` shows what is kept: the newest 10 000 events.',
  }),
  SYSG_CONFIG_NOT_FOUND: (facts: { folder: string; names: readonly string[] }) => ({
    message: `There is no config in ${facts.folder}, nor in a folder above it.`,
    hint: `Looked for ${quoted(facts.names)}. \`sysg init\` writes one; \`--config\` names one.`,
  }),
  SYSG_CONFIG_GONE: (facts: { names: readonly string[] }) => ({
    message: `There is no config here any more, and services of one still run: ${quoted(facts.names)}.`,
    hint: 'Bring the config back and `sysg start`, or end them with `sysg stop`.',
  }),
  SYSG_CONFIG_UNREADABLE: (facts: { file: string; why: string }) => ({
    message: `The config ${facts.file} can't be read: ${facts.why}.`,
    hint: 'Check its name and permissions.',
  }),
  SYSG_CONFIG_UNTRUSTED: (facts: { file: string; why: string }) => ({
    message: `The config ${facts.file} was found above this folder, and ${facts.why}.`,
    hint: `If you trust it, name it: \`--config ${facts.file}\`.`,
  }),
  SYSG_STATE_FOLDER: (facts: { folder: string; why: string }) => ({
    message: `The state folder ${facts.folder} can't be used: ${facts.why}.`,
    hint: 'Make room or give yourself the right to write there, or set `SYSG_HOME` to another folder.',
  }),
  SYSG_SUPERVISOR_SILENT: (facts: { pid: number | undefined; limitMs: number; why?: string; remedy?: string }) => ({
    message: `The supervisor${facts.pid === undefined ? '' : ` (pid ${facts.pid})`} did not answer within ${duration(facts.limitMs)}${facts.why === undefined ? '' : `: ${facts.why}`}.`,
    hint: `${facts.remedy ?? 'It may be frozen or overloaded; `ps` shows its state.'} Its services go on.`,
  }),
  SYSG_SUPERVISOR_UNREACHABLE: (facts: { socket: string; why: string }) => ({
    message: `The supervisor can't be reached at ${facts.socket}: ${facts.why}.`,
    hint: 'Only the user who started it, and root, may speak to it.',
  }),
  SYSG_SUPERVISOR_DIED: (facts: { log: string; words: string }) => ({
    message: `The supervisor ended before the system was up${facts.words === '' ? '.' : `:\n${facts.words}`}`,
    hint: `What it said is in ${facts.log}.`,
  }),
  SYSG_UPGRADE_FAILED: (facts: { to: string; pid: number; version: string; words: string }) => ({
    message: `systemg ${facts.to} did not take over${facts.words === '' ? '.' : `:\n${facts.words}`}`,
    hint: `The supervisor is systemg ${facts.version} again (pid ${facts.pid}); services went on. \`sysg logs --kind supervisor\` has more.`,
  }),
  SYSG_NOTIFY_OUTSIDE: (facts: { missing: readonly string[] }) => ({
    message: outside(facts),
    hint: '`sysg notify ready` is for programs that a service has started, with the environment they were given.',
  }),
  SYSG_SPAWN_OUTSIDE: (facts: { missing: readonly string[] }) => ({
    message: outside(facts),
    hint: '`sysg spawn` is for programs that a service has started, with the environment they were given. `sysg start -- command` starts one for you.',
  }),
  SYSG_PURGE_STOPPED_SHORT: () => ({
    message: 'The system could not be stopped, so nothing of it was removed.',
    hint: '`sysg status` shows what still lives.',
  }),
  SYSG_RUN_UNSUPERVISED: (facts: { services: readonly string[] }) => ({
    message: `The supervisor was killed and does not come back by itself: the run of ${quoted(facts.services)} goes on without it.`,
    hint: `\`sysg start -d\` takes it up, and ${facts.services.map((name) => `\`sysg inspect ${name}\``).join(', ')} then shows how it ended.`,
  }),
  SYSG_RUN_UNKNOWN: (facts: { service: string }) => ({
    message: `The supervisor was killed while the run of \`${facts.service}\` was waited for, and how that ended is not known.`,
    hint: `\`sysg inspect ${facts.service}\` shows its last runs, \`sysg logs ${facts.service}\` what it wrote.`,
  }),
  SYSG_INTERRUPTED: (facts: { what: string }) => ({
    message: `Interrupted: ${facts.what}.`,
    hint: '`sysg status` shows how far it is.',
  }),
  SYSG_TIMEOUT: (facts: { what: string; limitMs: number }) => ({
    message: `${facts.what} took longer than ${duration(facts.limitMs)}.`,
    hint: 'It goes on in the background; `sysg status` shows how far it is. `--timeout` waits longer.',
  }),
} satisfies Record<`SYSG_${string}`, (facts: never) => FailureText>

type FailureCode = keyof typeof failures

/** A failure with a stable code, as people see it. Core errors and answers of a supervisor look alike. */
export class Failure extends Error {
  override readonly name = 'Failure'
  readonly code: string
  readonly hint: string | undefined

  constructor(...args: { [C in FailureCode]: [code: C, facts: Parameters<(typeof failures)[C]>[0]] }[FailureCode]) {
    const [code, facts] = args
    const text = (failures[code] as (facts: unknown) => FailureText)(facts)
    super(text.message)
    this.code = code
    this.hint = text.hint
  }
}

/** Anything thrown that has a `SYSG_…` code: a `Failure`, the core's `SysgError`, the control client's `ControlError`. */
export interface CodedError extends Error {
  readonly code: string
  readonly hint?: string | undefined
}

export const isCoded = (thrown: unknown): thrown is CodedError =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' && thrown.code.startsWith('SYSG_')

/** What was thrown, when it has a code. @throws anything else. */
export const codedOnly = (thrown: unknown): CodedError => {
  if (isCoded(thrown)) return thrown
  throw thrown
}
