/** Where a system learns which secrets there are, and what of it shows none. */
import type { Hooks } from './hooks.ts'
import type { Host } from './host.ts'
import type { Secrets } from './secrets.ts'

/** The host with a trace that shows no secret. What is replaced in the host later is replaced here, too. */
export const withoutSecrets = (host: Host, secrets: Secrets): Host => {
  const trace: Host['trace'] = (level, message, facts) =>
    host.trace(level, secrets.hide(message), facts === undefined ? undefined : secrets.hideIn(facts))
  return Object.create(host, { trace: { value: trace, enumerable: true } }) as Host
}

/** Learn those of everything that is run. */
export const learnSecrets = (hooks: Hooks, secrets: Secrets): void => {
  const last = { name: 'core', stage: Number.MAX_SAFE_INTEGER }
  hooks.environment.tap(last, (made) => {
    secrets.learn(made.env)
    return made
  })
  hooks.prepare.tap(last, (spec) => {
    secrets.learn(spec.env)
    return spec
  })
  hooks.adopted.tap({ name: 'core', stage: Number.MIN_SAFE_INTEGER }, ({ launch }) => secrets.learn(launch?.env ?? {}))
}
