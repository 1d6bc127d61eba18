/** The key `deployment` of a service. Its form depends on the strategies and the health check that plugins bring. */
import { duration, type Extensions } from '@systemg/core'
import { z } from 'zod'

/** The schema of `deployment` among these plugins. Only for use at the time of checking: other plugins' keys are looked up. */
const deploymentSchema = ({ strategies, serviceKey }: Extensions): z.ZodType => {
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

export const strategies = { immediate: z.undefined(), rolling: z.undefined() }

export const service = (others: Extensions) => ({
  deployment: z
    .lazy(() => deploymentSchema(others))
    .prefault({})
    .describe('How a running instance is replaced, and what is done before.'),
})
