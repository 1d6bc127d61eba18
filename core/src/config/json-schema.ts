/** The JSON Schema of configs, for editors: as users write them, references to variables included. */
import { z } from 'zod'
import type { PluginUse } from '../plugin.ts'
import { composeSchema } from './schema.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

/** JSON Schema (draft 7, what editors read) of a config as users write it. */
export const jsonSchema = async (uses: readonly PluginUse[]): Promise<Record<string, unknown>> => {
  const settings = { io: 'input', target: 'draft-7', unrepresentable: 'any' } as const
  const { whole } = await composeSchema(uses)
  const { $schema, ...schema } = z.toJSONSchema(whole, settings)
  return { $schema, title: 'systemg', ...withReferences(schema), patternProperties: { '^x-': {} } }
}

/** `${VAR}` may stand for every value that is no map and no list: `replicas: ${N:-2}`. */
const withReferences = (schema: JsonSchema): JsonSchema => {
  const { enum: values, type, ...rest } = mapInner(schema, withReferences)
  if (values !== undefined) {
    const listed = type === undefined ? { enum: values } : { type, enum: values }
    return { ...rest, anyOf: [listed, { type: 'string', pattern: reference }] }
  }
  const { pattern } = rest
  const typed = type === undefined ? rest : { ...rest, type }
  if (typeof pattern === 'string') return { ...typed, pattern: `${pattern}|${reference}` }
  return isNoText(type) ? { ...rest, type: [type, 'string'], pattern: reference } : typed
}

const reference = String.raw`\$\{`

const isNoText = (type: unknown): type is 'number' | 'integer' | 'boolean' =>
  type === 'number' || type === 'integer' || type === 'boolean'

/** Every schema in it but those of names, which are no values. */
const mapInner = (schema: JsonSchema, map: (inner: JsonSchema) => JsonSchema): JsonSchema => {
  const one = (inner: unknown) => (isSchema(inner) ? map(inner) : inner)
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'items' || key === 'additionalProperties')
        return [key, Array.isArray(value) ? value.map(one) : one(value)]
      if (key === 'anyOf' || key === 'oneOf' || key === 'allOf') return [key, (value as unknown[]).map(one)]
      if (key === 'properties' || key === 'definitions')
        return [key, Object.fromEntries(Object.entries(value as object).map(([name, inner]) => [name, one(inner)]))]
      return [key, value]
    }),
  )
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null
