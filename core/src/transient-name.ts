/**
 * Names of transients: `orch:w1` is `w1`, started for the service `orch`. A colon is in no name of a config, so they never
 * meet. The name stays when the transient is given to another instance, and so do its log files.
 */

/** `isTaken` ones get a number: `orch:w1~2`. */
export const transientName = (host: string, name: string, isTaken: (name: string) => boolean): string => {
  const plain = `${host}:${name}`
  let full = plain
  for (let number = 2; isTaken(full); number += 1) full = `${plain}~${number}`
  return full
}

/** The service that a transient was started for; `undefined` when the name is that of another service. */
export const hostOf = (name: string): string | undefined => {
  const end = name.indexOf(':')
  return end === -1 ? undefined : name.slice(0, end)
}
