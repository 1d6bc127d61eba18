/**
 * What every `Host` must do, as a test suite: the real one and the simulated one pass the same.
 *
 * The test runner comes as an argument, so this module loads without one:
 * `hostContract('simulated', makeHost, { describe, it, expect })`.
 */
import { clockContract } from './host-contract/clock.ts'
import { filesContract } from './host-contract/files.ts'
import { netContract } from './host-contract/net.ts'
import { outputContract } from './host-contract/output.ts'
import { peersContract } from './host-contract/peers.ts'
import { processesContract } from './host-contract/processes.ts'
import { runContract } from './host-contract/run.ts'
import { defineCheck, type Part, type TestApi } from './host-contract/session.ts'
import { socketsContract } from './host-contract/sockets.ts'
import { storeContract } from './host-contract/store.ts'
import { treesContract } from './host-contract/trees.ts'
import type { HostUnderTest } from './host-contract/under-test.ts'

export type { TestApi } from './host-contract/session.ts'
export type { Argv, HostUnderTest, StandardPrograms } from './host-contract/under-test.ts'

const parts: Readonly<Record<string, Part>> = {
  clock: clockContract,
  processes: processesContract,
  'process trees': treesContract,
  run: runContract,
  output: outputContract,
  files: filesContract,
  store: storeContract,
  net: netContract,
  sockets: socketsContract,
  peers: peersContract,
}

/** Define the suite for one kind of host. `make` is called for each test. */
export const hostContract = (name: string, make: () => Promise<HostUnderTest>, api: TestApi): void =>
  void api.describe(`${name} host`, () => {
    for (const [title, part] of Object.entries(parts))
      api.describe(title, () => part(defineCheck(make, api), api.expect))
  })
