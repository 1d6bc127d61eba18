/** The JSON Schema that stands beside a YAML config, so that editors complete and check it, keys of plugins included. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { jsonSchema, type PluginUse } from '@systemg/core'

export const schemaFile = 'systemg.schema.json'

/** What YAML editors look for; a comment to everybody else. */
export const schemaComment = `# yaml-language-server: $schema=${schemaFile}\n`

export const schemaText = async (plugins: readonly PluginUse[]): Promise<string> =>
  `${JSON.stringify(await jsonSchema(plugins), undefined, 2)}\n`

/** What editors check this config with, as its comment names it, if it is a schema of ours and not that of these plugins. */
export const outdatedSchema = async (config: string, plugins: readonly PluginUse[]): Promise<string | undefined> => {
  const named = /^# yaml-language-server: \$schema=(\S+)/m.exec(textOf(config) ?? '')?.[1]
  const text = named === undefined ? undefined : textOf(resolve(dirname(config), named))
  return text?.includes('"title": "systemg"') === true && text !== (await schemaText(plugins)) ? named : undefined
}

/** A file that is not there, or can't be read, is no concern of a check that is only kind. */
const textOf = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
