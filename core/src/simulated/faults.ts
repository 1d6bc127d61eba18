/** What tests make go wrong. Everything can be set and unset while the world runs. */
import type { HostError, SpawnFailure, SpawnSpec } from '../host.ts'

export interface Faults {
  /** Asked before each spawn and each `run`; an answer makes it fail. */
  spawn?: ((spec: SpawnSpec) => SpawnFailure | undefined) | undefined
  /** Bytes that files may still grow by; appending more throws `ENOSPC`. Default: no limit. */
  diskFreeBytes: number
  /** While set, every write to a table throws it, and logs keep their records in memory and try again. */
  store?: HostError | undefined
  /** How long the answer to an asynchronous host call takes, ms of virtual time. Its effect is immediate all the same. */
  latencyMs?: ((call: string) => number) | undefined
  /** Told of every host call that has an effect, before it has. May kill the supervisor: then it has none. */
  beforeCall?: ((call: string, caller: { kill(): void }) => void) | undefined
}

export const spawnFailure = (errno: string, message: string): SpawnFailure => ({ errno, message })
