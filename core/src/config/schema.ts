/** The keys of a config that the core owns, and the whole schema: these and every plugin's. */
import { z } from 'zod'
import type { PluginUse } from '../plugin.ts'
import { collectKeys } from '../plugin-keys.ts'
import { loadSchemas } from '../plugin-schemas.ts'
import { maxReplicas, serviceNamePattern } from './limits.ts'
import type { Condition, Dependency } from './types.ts'
import { duration, signal } from './values.ts'

// zod compiles schemas with `new Function` where it may; a strict Content-Security-Policy reports the attempt.
z.config({ jitless: true })

const projectIdPattern = /^[a-z0-9][a-z0-9_-]{0,62}$/

const text = z
  .string()
  .refine((value) => value.trim() !== '', { error: 'must not be empty' })
  .refine((value) => !value.includes('\0'), { error: 'must not hold a NUL character' })

const wholeNumber = z.int({
  error: ({ code }) => (code === 'invalid_type' ? 'must be a whole number' : undefined),
})

const conditions = ['ready', 'started', 'completed'] as const satisfies readonly Condition[]
const conditionExpected = 'must be `ready` (healthy, if it has a health check), `started` or `completed`'

const dependency = z.strictObject({
  condition: z
    .enum(conditions, { error: conditionExpected })
    .default('ready')
    .describe('When the dependency lets this service start.'),
  on_failure: z.enum(['stop', 'ignore']).default('stop').describe('What its crash does to this service.'),
})

const edge = (given?: Partial<Dependency> | null): Dependency => ({
  condition: given?.condition ?? 'ready',
  on_failure: given?.on_failure ?? 'stop',
})

const dependsOn = z
  .union([z.array(text), z.record(z.string(), dependency.nullable())], {
    error: 'must be a list of services such as `[db]`, or a map',
  })
  .transform((given): Readonly<Record<string, Dependency>> => {
    const edges = Array.isArray(given) ? given.map((name) => [name, edge()] as const) : Object.entries(given)
    return Object.fromEntries(edges.map(([name, options]) => [name, edge(options)]))
  })

const workingDir = text.refine((path) => !/^~(?:\/|$)/.test(path), {
  error: 'must not begin with `~`',
  params: { hint: 'Only shells know `~`. Write `${HOME}/…`.' },
})

/** Keys of every service. */
const coreServiceKeys = {
  command: text.optional().describe('A command line; run by `sh -c` when it has shell syntax, otherwise directly.'),
  exec: z
    .array(z.string())
    .min(1)
    .refine(([program]) => program?.trim() !== '', { error: 'must begin with a program' })
    .optional()
    .describe('Program and arguments, never a shell.'),
  working_dir: workingDir.optional().describe("Folder to run in. Default: the config's folder."),
  depends_on: dependsOn.prefault([]).describe('Services that must be up first.'),
  startup_grace: duration
    .prefault('250ms')
    .describe('How long a service without a health check must be up to count as ready.'),
  stop_signal: signal.prefault('SIGTERM').describe('Sent to the whole service to stop it.'),
  stop_timeout: duration.optional().describe("From the stop signal to SIGKILL. Default: the system's."),
  skip: z
    .union([z.boolean(), text])
    .default(false)
    .describe('`true`, or a command that exits 0: the service is not started.'),
  replicas: wholeNumber.min(0).max(maxReplicas).default(1).describe('Instances at once.'),
  success_exit_codes: z.array(wholeNumber.min(0).max(255)).default([0]).describe('Exit codes that count as success.'),
} satisfies Record<string, z.ZodType>

const projectId = z.string().superRefine((id, context) => {
  if (projectIdPattern.test(id)) return
  const slug = id
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, '-')
    .replaceAll(/^[^a-z0-9]+|-+$/g, '')
    .slice(0, 63)
  const hint =
    slug === ''
      ? 'A letter or digit comes first.'
      : `For example: \`project: { id: ${slug}, name: ${JSON.stringify(id)} }\`.`
  const message = 'must be an id of lowercase letters, digits, `-` and `_`'
  context.addIssue({ code: 'custom', message, params: { hint } })
})

/** Keys of the top level, but for `services`. */
const coreSystemKeys = {
  version: z.literal(['1', '2', 1, 2]).optional().describe('Version of the format.'),
  project: z
    .union([projectId, z.strictObject({ id: projectId.optional(), name: text.optional() })])
    .optional()
    .describe("The system's identity. Default: the folder's name and a short hash of its path."),
  plugins: z
    .array(z.union([text, z.looseObject({})]))
    .default([])
    .describe('Plugins to load: a package name, a relative path, or `{ use, ...options }`.'),
  stop_timeout: duration.prefault('10s').describe('From the stop signal to SIGKILL, for services that do not say.'),
  max_concurrent_starts: wholeNumber
    .min(1)
    .optional()
    .describe('How many services may be starting at once. Default: no limit.'),
  respawn: z
    .boolean()
    .optional()
    .describe('A supervisor that was killed comes back by itself. Default: true with `-d`, false in the foreground.'),
  exit_when: text
    .default('never')
    .describe("When a foreground system ends by itself: `never`, `any-failed`, `all-done`, or a service's name."),
} satisfies Record<string, z.ZodType>

/** A key, its schema, and who brought it. */
export interface OwnedKey {
  readonly plugin: string
  readonly schema: z.ZodType
}

export interface ComposedSchema {
  readonly service: ReadonlyMap<string, OwnedKey>
  /** Without `services`. */
  readonly system: ReadonlyMap<string, OwnedKey>
  /** Everything as one schema: for the JSON Schema. */
  readonly whole: z.ZodObject
}

/** The core's keys and those of every plugin. @throws {SysgError} `SYSG_PLUGIN_KEY_TAKEN`. */
export const composeSchema = async (uses: readonly PluginUse[]): Promise<ComposedSchema> => {
  await loadSchemas(uses)
  const scope = (core: Readonly<Record<string, z.ZodType>>, name: 'service' | 'system', reserved: readonly string[]) =>
    new Map<string, OwnedKey>([
      ...Object.entries(core).map(([key, schema]): [string, OwnedKey] => [key, { plugin: 'core', schema }]),
      ...collectKeys(uses, name, reserved),
    ])
  const service = scope(coreServiceKeys, 'service', Object.keys(coreServiceKeys))
  const system = scope(coreSystemKeys, 'system', [...Object.keys(coreSystemKeys), 'services'])
  const services = z
    .record(z.string().regex(serviceNamePattern), z.strictObject(shapeOf(service)))
    .describe('What the system is made of, by name.')
  return { service, system, whole: z.strictObject({ ...shapeOf(system), services }) }
}

const shapeOf = (keys: ReadonlyMap<string, OwnedKey>): Record<string, z.ZodType> =>
  Object.fromEntries([...keys].map(([key, { schema }]) => [key, schema]))
