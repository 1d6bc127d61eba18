/** How an instance gets its sockets: descriptors from 3 on, and what the protocol of systemd says about them. */
import type { Descriptor, LaunchSpec } from '@systemg/core'
import type { SocketSpec } from './options.ts'

/** The sockets are descriptors 3, 4, … in the order of the config; whatever else is inherited comes behind. */
export const withSockets = (
  spec: LaunchSpec,
  sockets: readonly SocketSpec[],
  descriptors: readonly Descriptor[],
): LaunchSpec => ({
  ...spec,
  inherit: [...descriptors, ...spec.inherit],
  env: {
    ...spec.env,
    LISTEN_FDS: String(descriptors.length),
    LISTEN_FDNAMES: sockets.map(({ name }) => name).join(':'),
  },
})

/**
 * Only the process itself knows its pid before its first instruction: a shell says it and becomes the program, which keeps
 * the pid. A shell drops variables whose names it could not use (`discovery.type`), so `env` sets those again.
 */
export const withListenPid = (spec: LaunchSpec): LaunchSpec => {
  const odd = Object.entries(spec.env).filter(([name]) => !/^[A-Za-z_]\w*$/.test(name))
  const env = odd.length > 0 ? ['env', ...odd.map(([name, value]) => `${name}=${value}`)] : []
  return {
    ...spec,
    argv: ['/bin/sh', '-c', 'LISTEN_PID=$$; export LISTEN_PID; exec "$@"', 'sh', ...env, ...spec.argv],
    programWords: spec.programWords ?? spec.argv.length,
  }
}
