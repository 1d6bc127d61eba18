/**
 * What a config is: as a user writes it (`ServiceConfig`, `SystemConfig`) and as code reads it
 * (`ResolvedService`, `ResolvedSystem`). Plugins add their keys to all four by module augmentation of
 * `@systemg/core` in their entry file.
 */
import type { Signal } from '../host.ts'
import type { Plugin } from '../plugin.ts'

/** When a dependency lets its dependent start. */
export type Condition = 'ready' | 'started' | 'completed'

/** One edge of the dependency graph, defaults filled in. */
export interface Dependency {
  readonly condition: Condition
  /** What a crash of the dependency does to the running dependent. */
  readonly on_failure: 'stop' | 'ignore'
}

/**
 * The keys of probes below `health_check`, as a user writes them. Plugins that bring a probe add its key here:
 * `interface ProbeConfigs { redis?: { url: string } }`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- it is filled by module augmentation
export interface ProbeConfigs {}

/** A service as a user writes it. Durations and sizes as in the docs: `"90s"`, `"10M"`; bare numbers are seconds or bytes. */
export interface ServiceConfig {
  /** A command line; run by `sh -c` when it has shell syntax, otherwise directly. */
  command?: string
  /** Program and arguments, never a shell. Exactly one of `command` and `exec`. */
  exec?: readonly string[]
  /** Folder to run in. Default: the config's folder. */
  working_dir?: string
  /** Services that must be up first. */
  depends_on?: readonly string[] | Readonly<Record<string, Partial<Dependency> | null>>
  /** How long a service without a health check must be up to count as ready. Default 250ms. */
  startup_grace?: string | number
  /** Default `SIGTERM`. */
  stop_signal?: string
  /** From the stop signal to SIGKILL. Default 10s. */
  stop_timeout?: string | number
  /** `true`, or a command that exits 0: the service is not started. */
  skip?: boolean | string
  /** Instances at once. Default 1. */
  replicas?: number
  /** Exit codes that count as success. Default `[0]`. */
  success_exit_codes?: readonly number[]
}

/**
 * What deploy strategies take below `deployment`, by their name, as a user writes it. Plugins that bring one add to it by
 * module augmentation.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by augmentation
export interface StrategyConfigs {}

/** The same as code reads it. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled by augmentation
export interface ResolvedStrategies {}

/** A service with every default filled in: durations in milliseconds, sizes in bytes, paths absolute. Plain JSON. */
export interface ResolvedService {
  readonly name: string
  /** What the user wrote, for display; `exec` is shown quoted. */
  readonly command: string
  /** What is executed: the program itself, or `/bin/sh -c …`. */
  readonly argv: readonly [string, ...string[]]
  readonly working_dir: string
  readonly depends_on: Readonly<Record<string, Dependency>>
  readonly startup_grace: number
  readonly stop_signal: Signal
  readonly stop_timeout: number
  readonly skip: boolean | string
  readonly replicas: number
  readonly success_exit_codes: readonly number[]
  /** Fingerprints of what it is made of besides its keys, by a name for people. Left out when there is nothing. */
  readonly inputs?: Readonly<Record<string, string>>
}

/** A whole config as a user writes it. */
export interface SystemConfig {
  version?: '1' | '2' | 1 | 2
  /** The system's identity. Default: the folder's name and a short hash of its path. */
  project?: string | { id?: string; name?: string }
  /** A package name, a relative path, `{ use, ...options }`, or a plugin itself. */
  plugins?: readonly (string | Plugin | { use: string | Plugin; enabled?: boolean; [option: string]: unknown })[]
  /** Default for every service. */
  stop_timeout?: string | number
  /** How many services may be starting at once. Default: no limit. */
  max_concurrent_starts?: number
  /** A supervisor that was killed comes back by itself. */
  respawn?: boolean
  /** When a foreground system ends by itself: `never`, `any-failed`, `all-done`, or a service's name. */
  exit_when?: string
  services?: Readonly<Record<string, ServiceConfig>>
}

/** A whole config, checked, with every default filled in. Plain JSON. */
export interface ResolvedSystem {
  readonly project: { readonly id: string; readonly name: string }
  /** The folder that relative paths start from. */
  readonly folder: string
  /** Of services that do not say. */
  readonly stop_timeout: number
  readonly max_concurrent_starts: number
  readonly respawn: boolean | undefined
  readonly exit_when: string
  readonly services: Readonly<Record<string, ResolvedService>>
}
