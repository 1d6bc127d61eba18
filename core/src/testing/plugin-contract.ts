/**
 * What every plugin must do, as a test suite: those of systemg pass it, and so should yours.
 *
 * The test runner comes as an argument, so this module loads without one; `node:test`, vitest and jest fit:
 * `pluginContract(plugin, { describe, it })`.
 */
import type { ServiceConfig } from '../config/types.ts'
import type { Plugin, PluginUse } from '../plugin.ts'
import type { Program } from '../simulated/index.ts'
import { lifeChecks } from './plugin-contract/life.ts'
import { offerChecks } from './plugin-contract/offers.ts'
import { schemaChecks } from './plugin-contract/schemas.ts'
import { shapeChecks } from './plugin-contract/shape.ts'

/** What the suite needs to know of a plugin. */
export interface PluginUnderTest {
  /** Its options, as a config gives them. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Keys of a service that make it act: `{ quiet_hours: { from: 0, to: 6 } }`. */
  readonly service?: Readonly<Partial<ServiceConfig>>
  /** Keys of the top level that make it act. */
  readonly system?: Readonly<Record<string, unknown>>
  /** Plugins that it needs beside it. */
  readonly beside?: readonly (Plugin | PluginUse)[]
  /** What that service runs on the simulated machine. Default: until it is signalled. */
  readonly program?: Program
}

/** What is needed of a test runner. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}

/** A promise to keep, and what throws when it is broken. */
export type PluginCheck = readonly [title: string, check: (plugin: Plugin, under: PluginUnderTest) => Promise<void>]

const parts: Readonly<Record<string, readonly PluginCheck[]>> = {
  shape: shapeChecks,
  schemas: schemaChecks,
  offers: offerChecks,
  life: lifeChecks,
}

/** Define the suite for one plugin. */
export const pluginContract = (plugin: Plugin, runner: TestRunner, under: PluginUnderTest = {}): void =>
  void runner.describe(`plugin ${plugin.name}`, () => {
    for (const [part, checks] of Object.entries(parts)) {
      runner.describe(part, () => {
        for (const [title, check] of checks) runner.it(title, () => check(plugin, under))
      })
    }
  })
