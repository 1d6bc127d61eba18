/** Every key of a config, from the same schemas that check it. */
import { composeSchema, z, type ComposedSchema } from '@systemg/core'
import { firstPartyPlugins } from '../../cli/src/first-party.ts'
import { code, generatedNote, table } from './markdown.ts'

/** The parts of JSON Schema that our schemas are made of. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly const?: string | number | boolean
  readonly anyOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly description?: string
  readonly default?: unknown
}

export const configPage = async (): Promise<string> => {
  const uses = firstPartyPlugins()
  const owners = await composeSchema(uses)
  const whole = z.toJSONSchema(owners.whole, { io: 'input', unrepresentable: 'any' }) as Schema
  const { services, ...top } = whole.properties ?? {}
  const service = typeof services?.additionalProperties === 'object' ? services.additionalProperties : {}
  return `${generatedNote('the schemas of the core and the first-party plugins')}

# Configuration keys

[Configuration](../guide/configuration.md) says how files are found, read and checked. Durations are whole numbers with
\`ms\`, \`s\`, \`m\`, \`h\`, \`d\` (\`90s\`, \`1m30s\`), or a number of seconds; sizes are numbers with \`K\`, \`M\`, \`G\`, \`T\`
(1024-based), or a number of bytes.

## Top level

Besides \`services\`, a map from names to services.

${keysTable(top, owners.system)}

## A service

${keysTable(service.properties ?? {}, owners.service)}
`
}

const keysTable = (keys: Readonly<Record<string, Schema>>, owners: ComposedSchema['service']): string =>
  table(
    ['key', 'takes', 'default', 'means', 'from'],
    Object.entries(keys).flatMap(([key, schema]) =>
      rowsOf(key, schema).map((row) => [...row, owners.get(key)?.plugin ?? '']),
    ),
  )

/** A key, and the keys inside of it. */
const rowsOf = (path: string, schema: Schema): readonly (readonly string[])[] => [
  [code(path), typeOf(schema), defaultOf(schema), schema.description ?? ''],
  ...Object.entries(insideOf(schema)).flatMap(([key, inner]) => rowsOf(`${path}.${key}`, inner)),
]

const insideOf = (schema: Schema): Readonly<Record<string, Schema>> => {
  const below = typeof schema.additionalProperties === 'object' ? insideOf(schema.additionalProperties) : {}
  const ofMap = Object.entries(below).map(([key, inner]) => [`*.${key}`, inner] as const)
  const ofKinds = (schema.anyOf ?? []).flatMap((kind) => Object.entries(insideOf(kind)))
  return { ...schema.properties, ...Object.fromEntries([...ofMap, ...ofKinds]) }
}

/** A default that only says "as the keys inside say" says nothing. */
const defaultOf = ({ default: value }: Schema): string => {
  if (value === undefined || JSON.stringify(value) === '{}') return ''
  return code(typeof value === 'string' ? value : JSON.stringify(value))
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'number',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'map',
  null: 'nothing',
}

const typeOf = (schema: Schema): string => {
  if (schema.const !== undefined) return code(String(schema.const))
  if (schema.enum !== undefined) {
    const values = schema.enum.map((value) => code(typeof value === 'string' ? value : JSON.stringify(value)))
    return [...new Set(values)].join(', ')
  }
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`
  if (typeof schema.type === 'string') return typeNames[schema.type] ?? schema.type
  return schema.type === undefined ? 'anything' : schema.type.map((type) => typeNames[type] ?? type).join(' or ')
}
