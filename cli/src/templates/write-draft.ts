/** Writes a draft as a config file; notes become comments where they belong. */
import { stringify } from 'yaml'
import type { Draft } from './draft.ts'

export type ConfigFormat = 'yaml' | 'ts'

export const writeDraft = (draft: Draft, format: ConfigFormat): string =>
  format === 'yaml' ? asYaml(draft) : asTypeScript(draft)

const asYaml = ({ source, system, services, notes }: Draft): string => {
  const head = [`Made of ${source} by \`sysg init\`.`, ...notes].map((note) => `# ${onOneLine(note)}\n`)
  const blocks = services.map(({ name, keys, notes: own }) => {
    const comments = own.map((note) => `    # ${onOneLine(note)}\n`)
    const key = stringify(name).trimEnd()
    return `  ${key}:\n${comments.join('')}${indented(stringify(keys, layout), '    ')}`
  })
  const top = Object.keys(system).length === 0 ? '' : stringify(system, layout)
  return `${head.join('')}version: "1"\n${top}services:\n${blocks.join('\n')}`
}

const layout = { lineWidth: 0, aliasDuplicateObjects: false }

const asTypeScript = ({ source, system, services, notes }: Draft): string => {
  const head = [`Made of ${source} by \`sysg init\`.`, ...notes].map((note) => `// ${onOneLine(note)}\n`)
  const blocks = services.map(({ name, keys, notes: own }) => {
    const comments = own.map((note) => `      // ${onOneLine(note)}\n`)
    return `    ${propertyOf(name)}: {\n${comments.join('')}${propertiesOf(keys, '      ')}    },\n`
  })
  const body = `${propertiesOf(system, '  ')}  services: {\n${blocks.join('')}  },\n`
  return `${head.join('')}import { defineConfig } from 'systemg'\n\nexport default defineConfig({\n${body}})\n`
}

const propertiesOf = (map: Readonly<Record<string, unknown>>, indent: string): string =>
  Object.entries(map)
    .map(([key, value]) => `${indent}${propertyOf(key)}: ${sourceOf(value, indent)},\n`)
    .join('')

const sourceOf = (value: unknown, indent: string): string => {
  if (Array.isArray(value)) return `[${value.map((item: unknown) => sourceOf(item, indent)).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const inner = propertiesOf(value as Readonly<Record<string, unknown>>, `${indent}  `)
    return inner === '' ? '{}' : `{\n${inner}${indent}}`
  }
  return typeof value === 'string' ? quotedSource(value) : JSON.stringify(value)
}

const quotedSource = (text: string): string => {
  const json = JSON.stringify(text)
  return /['\\]/.test(json) ? json : `'${json.slice(1, -1)}'`
}

const propertyOf = (key: string): string => (/^[A-Za-z_]\w*$/.test(key) ? key : quotedSource(key))

const indented = (text: string, indent: string): string => text.replace(/^(?=.)/gm, indent)

/** Nothing of another file may end a comment. */
const onOneLine = (text: string): string => text.replace(/[\r\n\u2028\u2029]+/g, ' ')
