/** Tells a plugin from anything else, and says what is wrong with one that nearly is. */
import { loadSchemas, schemasOf, whyOf, type Plugin } from '@systemg/core'
import { whyNoCommands } from './command-shape.ts'
import { isMap, isSchema } from './value-kinds.ts'

/**
 * The plugin a module exports: its default, or else the only export that looks like one. Of CommonJS the default is
 * `module.exports`, in which a compiler puts the default in turn.
 */
export const exportedPlugin = (exported: Readonly<Record<string, unknown>>): unknown => {
  const given = exported['default']
  if (isMap(given) && !('name' in given) && ('default' in given || 'module.exports' in exported))
    return exportedPlugin(given)
  if ('default' in exported) return given
  const [first, second] = Object.values(exported).filter((value) => isMap(value) && 'name' in value)
  return second === undefined ? first : undefined
}

/** Why a value is no plugin; `undefined` when it is one. */
export const whyNoPlugin = (value: unknown): string | undefined => {
  if (value === undefined) return 'it has no default export'
  if (typeof value === 'function') return 'it is a function, not what `definePlugin` gives: call it'
  if (!isMap(value)) return 'it is not what `definePlugin` gives'
  const { name, api, setup, check, variables, notes, inputs, schemas } = value
  if (typeof name !== 'string' || !/^[a-z0-9][\w.-]*$/i.test(name)) return 'it has no `name`, or one that is no word'
  if (api !== undefined && !Number.isInteger(api)) return 'its `api` is no whole number'
  for (const [key, method] of Object.entries({ setup, check, variables, notes, inputs, schemas })) {
    if (method !== undefined && typeof method !== 'function') return `its \`${key}\` is no function`
  }
  return whyNotSchemas(value) ?? whyNoCommands(value['commands']) ?? whyNoHooks(value['hooks'])
}

/** Why what a plugin loads as its `schemas` is none; `undefined` when they are. */
export const whyNoSchemas = async (plugin: Plugin): Promise<string | undefined> => {
  try {
    await loadSchemas([{ plugin }])
    return whyNotSchemas({ ...schemasOf(plugin) })
  } catch (thrown) {
    return `its \`schemas\` can't be loaded: ${whyOf(thrown)}`
  }
}

const whyNotSchemas = (of: Readonly<Record<string, unknown>>): string | undefined => {
  if (of['options'] !== undefined && !isSchema(of['options'])) return 'its `options` is no zod 4 schema'
  return ['service', 'system', 'probes', 'strategies'].map((scope) => whyNoKeys(of, scope)).find(Boolean)
}

export const isPlugin = (value: unknown): value is Plugin => whyNoPlugin(value) === undefined

const whyNoKeys = (plugin: Readonly<Record<string, unknown>>, scope: string): string | undefined => {
  const keys = plugin[scope]
  // Keys of services may depend on what other plugins bring.
  if (keys === undefined || (scope === 'service' && typeof keys === 'function')) return undefined
  if (!isMap(keys)) return `its \`${scope}\` is no map of keys to schemas`
  const [wrong] = Object.entries(keys).find(([, schema]) => !isSchema(schema)) ?? []
  return wrong === undefined ? undefined : `the schema of its key \`${wrong}\` is no zod 4 schema`
}

const whyNoHooks = (hooks: unknown): string | undefined => {
  if (hooks === undefined) return undefined
  if (!isMap(hooks)) return 'its `hooks` is no map of names to hooks'
  const [name, hook] =
    Object.entries(hooks).find(([, one]) => !isMap(one) || typeof one['description'] !== 'string') ?? []
  if (name !== undefined) return `its hook \`${name}\` ${isMap(hook) ? 'has no `description`' : 'is no map'}`
  const [odd] = Object.entries(hooks).find(([, one]) => isMap(one) && !isAnswer(one['answer'])) ?? []
  return odd === undefined ? undefined : `\`answer\` of its hook \`${odd}\` is no zod 4 schema`
}

const isAnswer = (answer: unknown): boolean => answer === undefined || isSchema(answer)
