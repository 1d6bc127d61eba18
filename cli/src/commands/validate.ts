/** `sysg validate`: says everything that is wrong with a config, and changes nothing. */
import type { Command, CommandContext } from '../command.ts'
import type { LoadedConfig } from '../config/load-config.ts'
import { exitCodes } from '../exit-codes.ts'
import { isCoded, type CodedError } from '../failures.ts'

export const command: Command = {
  description: 'Check a config',
  run: async (context) => {
    const { terminal, globals, cwd, env } = context
    const [{ loadConfig }, { firstPartyPlugins }, report, { printWarning }, { outdatedSchema }] = await Promise.all([
      import('../config/load-config.ts'),
      import('../first-party.ts'),
      import('../config/report-problems.ts'),
      import('../terminal/print-error.ts'),
      import('../config/schema-file.ts'),
    ])
    const loading = loadConfig({ cwd, env, config: globals.config, sys: globals.sys, firstParty: firstPartyPlugins() })
    const loaded = await loading.catch((thrown: unknown) => {
      if (globals.json && isCoded(thrown)) printUnread(context, thrown)
      throw thrown
    })
    for (const warning of loaded.warnings) printWarning(terminal, warning)
    const schema = await outdatedSchema(loaded.file, loaded.plugins)
    if (schema !== undefined) printWarning(terminal, outdated(schema, globals.config))
    const { valid, problems } = report.problemsJson(loaded.problems)
    if (globals.json) terminal.out(`${JSON.stringify({ valid, problems }, undefined, 2)}\n`)
    else report.reportProblems(context, loaded)
    if (!valid) return exitCodes.invalidConfig
    const count = Object.keys(loaded.system?.services ?? {}).length
    if (!globals.json) {
      const file = terminal.paint('bold', report.shownPath(cwd, loaded.file))
      terminal.out(`${file} is valid: ${count} ${count === 1 ? 'service' : 'services'}\n`)
      for (const note of notesOf(loaded)) terminal.out(`${note}\n`)
    }
    return exitCodes.done
  },
}

const outdated = (schema: string, config: string | undefined): string =>
  `editors check this config with ${schema}, which is of other plugins or another systemg: ` +
  `\`sysg schema${config === undefined ? '' : ` --config ${config}`} --output ${schema}\``

/** What plugins say of a good config. One that fails to says nothing: it is not what was asked for. */
const notesOf = ({ plugins, system }: LoadedConfig): readonly string[] =>
  plugins.flatMap(({ plugin }) => {
    try {
      return system === undefined ? [] : (plugin.notes?.(system, { nowMs: Date.now() }) ?? [])
    } catch {
      return []
    }
  })

/** A config that was not found or can't be read is an answer, too. */
const printUnread = ({ terminal, globals }: CommandContext, { code, message, hint }: CodedError): void => {
  const place = { path: [], file: globals.config ?? null, line: null, column: null, severity: 'error' }
  terminal.out(
    `${JSON.stringify({ valid: false, problems: [{ code, message, hint: hint ?? null, ...place }] }, undefined, 2)}\n`,
  )
}
