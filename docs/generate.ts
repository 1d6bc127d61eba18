/**
 * Writes `docs/reference/`: what can be said of the code by the code itself.
 *
 * Run by `node --conditions=systemg-source docs/generate.ts`. A test fails when a page is out of date.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commandsPage } from './generate/commands-page.ts'
import { configPage } from './generate/config-page.ts'
import { errorsPage } from './generate/errors-page.ts'
import { hooksPage } from './generate/hooks-page.ts'
import { inspectJsonSchema } from './generate/inspect-schema.ts'
import { formatted, formattedJson } from './generate/markdown.ts'
import { statesPage } from './generate/states-page.ts'

/** The text of every generated page, by its path below `docs/`. */
export const referencePages = async (): Promise<ReadonlyMap<string, string>> => {
  const pages = {
    'reference/commands.md': await commandsPage(),
    'reference/config.md': await configPage(),
    'reference/errors.md': errorsPage(),
    'reference/hooks.md': hooksPage(),
    'reference/states.md': statesPage(),
  }
  const entries = Object.entries(pages).map(async ([path, text]) => [path, await formatted(text)] as const)
  const schema = await formattedJson(inspectJsonSchema())
  return new Map([...(await Promise.all(entries)), ['reference/inspect.schema.json', schema]])
}

if (import.meta.main) {
  const folder = dirname(fileURLToPath(import.meta.url))
  for (const [path, text] of await referencePages()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
