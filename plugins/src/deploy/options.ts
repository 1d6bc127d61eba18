/** The key `deployment` of a service. Its form depends on the strategies and the health check that plugins bring. */
import {
  duration,
  type Extensions,
  type ResolvedService,
  type ResolvedStrategies,
  type ServiceConfig,
  type StrategyConfigs,
} from '@systemg/core'
import { z } from 'zod'

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

/** The schema of `deployment` among these plugins. Only for use at the time of checking: other plugins' keys are looked up. */
export const deploymentSchema = ({ strategies, serviceKey }: Extensions): z.ZodType => {
  const health = serviceKey('health_check')?.optional()
  const own = Object.entries(strategies).filter(([name]) => !builtIn.includes(name))
  const shape = {
    strategy: z
      .enum(Object.keys(strategies))
      .default('immediate')
      .describe(
        'How a running instance is replaced: `immediate` (stop, then start), `rolling`, or what a plugin brings.',
      ),
    ...shapeOfDeployment,
    blue_green: z
      .strictObject({
        ...shapeOfBlueGreen,
        ...(health === undefined
          ? {}
          : {
              candidate_health_check: health.describe(
                'How a candidate is asked whether it is ready, instead of `health_check`.',
              ),
            }),
      })
      .optional()
      .describe('Two or more slots, such as ports, that alternate, and how users are led from one to the other.'),
    ...(health === undefined ? {} : { health_check: health.describe('The older place of `health_check`.') }),
    ...Object.fromEntries(own.map(([name, schema]) => [name, schema.optional()])),
  }
  return z.strictObject(shape).transform((written, context) => withOwnOptions(written, new Map(own), context))
}

const builtIn: readonly string[] = ['immediate', 'rolling']

const command = z.string().refine((text) => text.trim() !== '', 'must not be empty')

const slot = z
  .union([z.string(), z.int().min(0)], { error: 'must be text or a whole number' })
  .transform(String)
  .refine((text) => /^[\w.:/@+-]+$/.test(text), {
    error: 'may hold letters, digits and `_ . : / @ + -` only, since commands get it as it is',
  })

const shapeOfDeployment = {
  pre_start: command
    .optional()
    .describe('A command to run before a start that you ask for, and before a deploy: a build, a migration.'),
  pre_start_timeout: duration.prefault('5m').describe('How long `pre_start` may take.'),
  grace_period: duration
    .optional()
    .describe(
      'How long the new instance must hold before the deploy is done and, with `rolling`, the old one is stopped. Default: 1s with `rolling`, none with `immediate`.',
    ),
} as const

const shapeOfBlueGreen = {
  env_var: z
    .string()
    .regex(/^(?!SYSG_)[A-Za-z_]\w*$/, 'must be the name of a variable that does not begin with `SYSG_`')
    .default('PORT')
    .describe('The variable that gets the slot.'),
  slots: z
    .array(slot)
    .min(2, 'needs at least two slots, which alternate')
    .refine((slots) => new Set(slots).size === slots.length, 'must not name a slot twice')
    .optional()
    .describe('Values that alternate, such as two ports. The instance that serves has one, a candidate the next.'),
  switch_command: command
    .optional()
    .describe(
      'Leads users to `{slot}`; run when the candidate is ready. Run again with the slot before when something fails afterwards.',
    ),
  switch_verify: command.optional().describe('Must exit 0 once users reach `{slot}`; run after `switch_command`.'),
  switch_timeout: duration.prefault('30s').describe('How long `switch_command` and `switch_verify` may take, each.'),
} as const

/** The chosen strategy's own options with their defaults, also when nothing was written about them. */
const withOwnOptions = (
  written: Readonly<Record<string, unknown>>,
  own: ReadonlyMap<string, z.ZodType>,
  context: z.RefinementCtx,
): Readonly<Record<string, unknown>> => {
  const name = String(written['strategy'])
  const schema = own.get(name)
  if (schema === undefined || written[name] !== undefined) return written
  for (const nothing of [undefined, {}]) {
    const result = schema.safeParse(nothing)
    if (result.success) return { ...written, [name]: result.data }
  }
  context.addIssue({ code: 'custom', path: [name], message: `is missing: \`strategy: ${name}\` needs it` })
  return written
}
