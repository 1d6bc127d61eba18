/** `sysg init`: writes a config to begin with, or one made of another tool's file. Asks nothing. */
import { dirname, join, resolve } from 'node:path'
import type { PluginUse } from '@systemg/core'
import type { Command, CommandContext, Typed } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure, isCoded } from '../failures.ts'
import type { Draft } from '../templates/draft.ts'
import type { ConfigFormat } from '../templates/write-draft.ts'

export const command: Command = {
  description: 'Write a config to begin with',
  args: {
    format: { type: 'string', description: 'yaml or ts', valueHint: 'format' },
    from: { type: 'string', description: 'Import a Procfile, a Compose or a pm2 file', valueHint: 'file' },
    force: { type: 'boolean', description: 'Replace the config that is here' },
  },
  run: async (context) => {
    const { typed, globals, cwd } = context
    const format = formatOf(typed.values['format'], globals.config)
    const name = globals.config ?? (format === 'ts' ? 'sysg.config.ts' : 'systemg.yaml')
    const target = resolve(cwd, name)
    const isForced = typed.values['force'] === true
    if (!isForced) await requireNone(context, target)
    const { from } = typed.values
    const text = typeof from === 'string' ? await imported(context, from, target, format) : await begun(format)
    const head = format === 'yaml' ? (await import('../config/schema-file.ts')).schemaComment : ''
    const { writeFile } = await import('../templates/write-file.ts')
    writeFile(target, name, `${head}${text}`, { replace: isForced })
    return conclude(context, target, name, format)
  },
}

const formatOf = (format: Typed['values'][string], config: string | undefined): ConfigFormat => {
  const isCode = config !== undefined && /\.[cm]?[jt]s$/.test(config)
  if (format === undefined) return isCode ? 'ts' : 'yaml'
  if (format === 'yaml' || format === 'ts') return format
  throw new Failure('SYSG_USAGE', {
    message: `\`--format\` takes yaml or ts, not \`${String(format)}\`.`,
    command: 'init',
  })
}

/** @throws {SysgError} `SYSG_INIT_EXISTS`. */
const requireNone = async ({ cwd, globals }: CommandContext, target: string): Promise<void> => {
  const [{ existsSync, realpathSync }, { findConfig }, { initError }] = await Promise.all([
    import('node:fs'),
    import('../project/find-config.ts'),
    import('../templates/errors.ts'),
  ])
  if (existsSync(target)) throw initError('SYSG_INIT_EXISTS', { file: target })
  if (globals.config !== undefined) return
  const here = realpathSync(cwd)
  try {
    const { file, folder } = findConfig({ cwd: here })
    if (folder === here) throw initError('SYSG_INIT_EXISTS', { file })
  } catch (thrown) {
    // None was found, or one above this folder that is no concern of it.
    if (!(thrown instanceof Failure)) throw thrown
  }
}

const begun = async (format: ConfigFormat): Promise<string> => {
  const { starter } = await import('../templates/starter.ts')
  return starter(format)
}

/** @throws {SysgError} `SYSG_INIT_IMPORT`. */
const imported = async (
  { terminal, cwd }: CommandContext,
  from: string,
  target: string,
  format: ConfigFormat,
): Promise<string> => {
  const [{ composeSchema }, { firstPartyPlugins }, { importDraft }, { withKnownKeys }, { writeDraft }, errors] =
    await Promise.all([
      import('@systemg/core'),
      import('../first-party.ts'),
      import('../templates/import-draft.ts'),
      import('../templates/draft.ts'),
      import('../templates/write-draft.ts'),
      import('../templates/errors.ts'),
    ])
  const file = resolve(cwd, from)
  if (file === target) throw errors.initError('SYSG_INIT_IMPORT', { file: from, why: 'it is the file to be written' })
  const read = await importDraft(file).catch((thrown: unknown) => {
    throw errors.initError('SYSG_INIT_IMPORT', { file: from, why: errors.whyOf(thrown) })
  })
  const known = await composeSchema(firstPartyPlugins())
  const draft = withKnownKeys(movedTo(read, dirname(file), dirname(target)), known)
  const { printWarning } = await import('../terminal/print-error.ts')
  for (const note of draft.notes) printWarning(terminal, note)
  for (const { name, notes } of draft.services) for (const note of notes) printWarning(terminal, `${name}: ${note}`)
  return writeDraft(draft, format)
}

const movedTo = (draft: Draft, from: string, to: string): Draft =>
  from === to ? draft : { ...draft, notes: [...draft.notes, `paths that were relative to ${from} are now to ${to}`] }

/** Says what was written, and everything that is still wrong with it. */
const conclude = async (
  context: CommandContext,
  target: string,
  name: string,
  format: ConfigFormat,
): Promise<ExitCode> => {
  const { terminal, typed, cwd, env } = context
  const [{ loadConfig }, { reportProblems }, { firstPartyPlugins }, { importableIn }, { printWarning }] =
    await Promise.all([
      import('../config/load-config.ts'),
      import('../config/report-problems.ts'),
      import('../first-party.ts'),
      import('../templates/import-draft.ts'),
      import('../terminal/print-error.ts'),
    ])
  terminal.out(`Wrote ${name}\n`)
  const loaded = await loadConfig({ cwd, env, config: target, firstParty: firstPartyPlugins() })
  if (format === 'yaml') await writeSchema(context, target, loaded.plugins)
  for (const warning of loaded.warnings) printWarning(terminal, warning)
  reportProblems(context, loaded)
  if (loaded.system === undefined) return exitCodes.invalidConfig
  const other = typed.values['from'] === undefined ? importableIn(cwd) : undefined
  if (other !== undefined)
    terminal.err(`There is a ${other} here: \`sysg init --from ${other} --force\` makes a config of it.\n`)
  const option = dirname(target) === cwd && context.globals.config === undefined ? '' : ` --config ${name}`
  terminal.err(`Next: edit it, then \`sysg start${option}\`.\n`)
  return exitCodes.done
}

/** For editors, beside the config. One that can't be written is no reason to fail: the config is there. */
const writeSchema = async ({ terminal }: CommandContext, config: string, plugins: readonly PluginUse[]) => {
  const [{ schemaFile, schemaText }, { writeFile }, { printWarning }] = await Promise.all([
    import('../config/schema-file.ts'),
    import('../templates/write-file.ts'),
    import('../terminal/print-error.ts'),
  ])
  try {
    writeFile(join(dirname(config), schemaFile), schemaFile, await schemaText(plugins), { replace: true })
    terminal.out(`Wrote ${schemaFile}, with which editors check it\n`)
  } catch (thrown) {
    if (!isCoded(thrown)) throw thrown
    printWarning(terminal, thrown.message)
  }
}
