/** The environment that services inherit: the supervisor's own, without what was meant for the supervisor alone. */

/** Protocols of systemd and Node that speak to one process: a service must not answer in the supervisor's name. */
const notForServices = /^(NOTIFY_SOCKET|LISTEN_.*|WATCHDOG_.*|INVOCATION_ID|JOURNAL_STREAM|NODE_CHANNEL_FD|SYSG_.*)$/

/** `env` without the variables that belong to the supervisor alone. */
export const baseEnvironment = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !notForServices.test(name)))

/** What plugins put into the environment of an instance about the instance: `SYSG_…` besides those of the core. */
export const marksIn = (env: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter(([name]) => /^SYSG_/.test(name) && !ofTheCore.has(name)))

const ofTheCore: ReadonlySet<string> = new Set([
  'SYSG_PROJECT',
  'SYSG_SERVICE',
  'SYSG_INSTANCE',
  'SYSG_REPLICA',
  'SYSG_TOKEN',
])
