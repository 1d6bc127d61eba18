/** What a plugin adds to configs explains itself, and takes no typo for a value. */
import { z } from 'zod'
import { composeSchema, jsonSchema } from '../../config/index.ts'
import { schemasOf } from '../../plugin-schemas.ts'
import type { Plugin } from '../../plugin.ts'
import type { PluginCheck, PluginUnderTest } from '../plugin-contract.ts'
import { promised, usesOf } from './under-test.ts'

export const schemaChecks: readonly PluginCheck[] = [
  [
    'says what every key and option is for, so that editors and docs can',
    async (plugin, under) => {
      for (const [path, schema] of await schemasBelow(plugin, under))
        promised(isDescribed(schema), `\`${path}\` has no description: add \`.describe('…')\` to its schema`)
    },
  ],
  [
    'takes no key that it does not know',
    async (plugin, under) => {
      for (const [path, schema] of await schemasBelow(plugin, under)) {
        const isLoose = schema.properties !== undefined && schema.additionalProperties !== false
        promised(!isLoose, `\`${path}\` takes any key, typos too: make it a \`z.strictObject\``)
      }
    },
  ],
  [
    'has a JSON Schema, for editors',
    async (plugin, under) => {
      await jsonSchema(await usesOf(plugin, under))
    },
  ],
]

/** The parts of JSON Schema that matter here. */
interface Schema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: unknown
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly not?: unknown
}

/** Every key of the plugin and every key below, by its path. */
const schemasBelow = async (
  plugin: Plugin,
  under: PluginUnderTest,
): Promise<readonly (readonly [path: string, schema: Schema])[]> => {
  const { service, system } = await composeSchema(await usesOf(plugin, under))
  const { probes = {}, options: ofPlugin } = schemasOf(plugin)
  const own = (keys: typeof service) => [...keys].filter(([, key]) => key.plugin === plugin.name)
  const roots: readonly (readonly [string, z.ZodType])[] = [
    ...own(system).map(([key, { schema }]) => [key, schema] as const),
    ...own(service).map(([key, { schema }]) => [key, schema] as const),
    ...Object.entries(probes).map(([key, schema]) => [`health_check.${key}`, schema] as const),
  ]
  const settings = { io: 'input', target: 'draft-7', unrepresentable: 'any', reused: 'inline' } as const
  const options = ofPlugin === undefined ? {} : ((z.toJSONSchema(ofPlugin, settings) as Schema).properties ?? {})
  return [
    ...roots.flatMap(([path, schema]) => below(path, z.toJSONSchema(schema, settings) as Schema)),
    ...Object.entries(options).flatMap(([key, schema]) => below(`options.${key}`, schema)),
  ]
}

const below = (path: string, schema: Schema): readonly (readonly [string, Schema])[] => [
  [path, schema],
  ...Object.entries(schema.properties ?? {}).flatMap(([key, inner]) => below(`${path}.${key}`, inner)),
  ...alternativesOf(schema).flatMap((inner) => below(path, inner).slice(1)),
  // An alternative has its description from the whole, but is as loose as it is.
  ...alternativesOf(schema).map((inner) => [path, { ...inner, description: inner.description ?? '…' }] as const),
]

const alternativesOf = ({ anyOf = [], oneOf = [], allOf = [] }: Schema): readonly Schema[] => [
  ...anyOf,
  ...oneOf,
  ...allOf,
]

/** What no value fits needs no words: it is never offered. */
const isDescribed = (schema: Schema): boolean =>
  schema.not !== undefined ||
  (schema.description ?? '') !== '' ||
  alternativesOf(schema).some(({ description = '' }) => description !== '')
