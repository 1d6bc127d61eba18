/** What is deployed how: `deployment` as a user writes it, and as code reads it. */
import type { ResolvedService, ResolvedStrategies, ServiceConfig, StrategyConfigs } from '@systemg/core'

/** `deployment` as a user writes it. */
export interface DeploymentConfig extends Partial<StrategyConfigs> {
  /** `immediate` (default), `rolling`, or a strategy that a plugin brings. */
  strategy?: 'immediate' | 'rolling' | keyof StrategyConfigs
  /** A command to run before a start that you ask for, and before a deploy: a build, a migration. */
  pre_start?: string
  /** How long `pre_start` may take. Default 5m. */
  pre_start_timeout?: string | number
  /** How long the new instance must hold before the deploy is done and, with `rolling`, the old one is stopped. Default: 1s with `rolling`. */
  grace_period?: string | number
  blue_green?: {
    /** Which variable gets the slot. Default `PORT`. */
    env_var?: string
    /** Values that alternate, such as two ports. */
    slots?: readonly (string | number)[]
    /** How a candidate is asked whether it is ready, instead of `health_check`. */
    candidate_health_check?: KeyOf<ServiceConfig, 'health_check'>
    /** Leads users to `{slot}`. Run again with the slot before when something fails afterwards. */
    switch_command?: string
    /** Must exit 0 once users reach `{slot}`. */
    switch_verify?: string
    /** How long `switch_command` and `switch_verify` may take, each. Default 30s. */
    switch_timeout?: string | number
  }
  /** The older place of `health_check`. */
  health_check?: KeyOf<ServiceConfig, 'health_check'>
}

/** `deployment` as code reads it. */
export interface Deployment extends Partial<ResolvedStrategies> {
  readonly strategy: string
  readonly pre_start?: string | undefined
  readonly pre_start_timeout: number
  readonly grace_period?: number | undefined
  readonly blue_green?: BlueGreen | undefined
  readonly health_check?: KeyOf<ResolvedService, 'health_check'>
}

export interface BlueGreen {
  readonly env_var: string
  readonly slots?: readonly string[] | undefined
  readonly candidate_health_check?: KeyOf<ResolvedService, 'health_check'>
  readonly switch_command?: string | undefined
  readonly switch_verify?: string | undefined
  readonly switch_timeout: number
}

/** How a service is deployed; as by default, when nobody said anything. */
export const deploymentOf = ({ deployment }: ResolvedService): Deployment =>
  deployment ?? { strategy: 'immediate', pre_start_timeout: 300_000 }

/** Time for load balancers to notice, and for a bad start to show, ms. */
const defaultGraceMs = 1_000

/** How long both instances of a rolling deploy run, ms. */
export const graceOf = (service: ResolvedService): number => deploymentOf(service).grace_period ?? defaultGraceMs

/** A key that another plugin may have added. */
type KeyOf<T, K extends string> = K extends keyof T ? T[K] : never
