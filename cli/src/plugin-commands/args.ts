/** Options of a plugin's command: from their schemas to what is parsed, and from what was typed to their values. */
import { checkArgs, z, type PluginCommand } from '@systemg/core'
import type { ArgsDef } from 'citty'
import type { Typed } from '../command.ts'

/** In the form of our own commands. */
export const argsDef = ({ args = {} }: PluginCommand): ArgsDef =>
  Object.fromEntries(Object.entries(args).map(([name, schema]) => [name, optionOf(schema)]))

/** What was typed, checked. Numbers come as text, so those that a schema wants as numbers are made so. */
export const readArgs = (command: PluginCommand, typed: Typed['values']): ReturnType<typeof checkArgs> =>
  checkArgs(
    command,
    Object.fromEntries(
      Object.entries(command.args ?? {}).map(([name, schema]) => {
        const text = typed[name]
        const isNumber = isNumeric(wordsOf(schema)) && typeof text === 'string' && text.trim() !== ''
        return [name, isNumber && Number.isFinite(Number(text)) ? Number(text) : text]
      }),
    ),
  )

/** What JSON Schema says of an option; `alias` and `hint` are from its `meta`. */
interface OptionWords {
  readonly type?: unknown
  readonly description?: string
  readonly alias?: unknown
  readonly hint?: unknown
  readonly enum?: readonly unknown[]
}

const wordsOf = (schema: z.ZodType): OptionWords =>
  z.toJSONSchema(schema, { io: 'input', target: 'draft-7', unrepresentable: 'any' })

const optionOf = (schema: z.ZodType): ArgsDef[string] => {
  const words = wordsOf(schema)
  const described = {
    description: words.description ?? '',
    ...(typeof words.alias === 'string' ? { alias: words.alias } : {}),
  }
  if (words.type === 'boolean') return { type: 'boolean', ...described }
  return { type: 'string', valueHint: hintOf(words), ...described }
}

const hintOf = (words: OptionWords): string => {
  if (typeof words.hint === 'string') return words.hint
  return words.enum?.join('|') ?? (isNumeric(words) ? 'number' : 'text')
}

const isNumeric = ({ type }: OptionWords): boolean => type === 'number' || type === 'integer'
