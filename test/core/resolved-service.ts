/** A resolved service for tests of pure logic: the core's defaults, and what the test says. */
import type { Dependency, ResolvedService } from '@systemg/core'

/** The edge that `depends_on: [name]` makes. */
export const defaultEdge: Dependency = { condition: 'ready', on_failure: 'stop' }

/** Its plugins' keys are left out: the core never reads them. */
export const resolvedService = (name: string, given: Readonly<Record<string, unknown>> = {}): ResolvedService =>
  ({
    name,
    command: 'x',
    argv: ['x'],
    working_dir: '/srv',
    depends_on: {},
    startup_grace: 250,
    stop_signal: 'SIGTERM',
    stop_timeout: 10_000,
    skip: false,
    replicas: 1,
    success_exit_codes: [0],
    ...given,
  }) as unknown as ResolvedService
