/** `sysg plugins new <name>`: a package that a plugin begins with. Asks nothing, replaces nothing. */
import type { CommandContext } from '../command.ts'
import { exitCodes, type ExitCode } from '../exit-codes.ts'
import { Failure } from '../failures.ts'

/** @throws {Failure} `SYSG_USAGE`. @throws {SysgError} `SYSG_PLUGIN_NEW_NAME`, `SYSG_FOLDER_EXISTS`, `SYSG_INIT_WRITE`. */
export const newPlugin = async ({ typed, terminal, cwd }: CommandContext): Promise<ExitCode> => {
  const [, given, ...more] = typed.positionals
  if (given === undefined || more.length > 0) {
    const message = '`plugins new` takes one name: `sysg plugins new quiet-hours`.'
    throw new Failure('SYSG_USAGE', { message, command: 'plugins' })
  }
  const [{ pluginPackage }, { writeFolder }, { version }] = await Promise.all([
    import('../templates/plugin-package.ts'),
    import('../templates/write-folder.ts'),
    import('../version.ts'),
  ])
  const name = await pluginName(given)
  const folder = `systemg-plugin-${name}`
  writeFolder(cwd, folder, pluginPackage({ name, version }))
  terminal.out(`Wrote ${folder}\n`)
  terminal.err(`Next: \`cd ${folder} && npm install && npm test\`; then edit src/index.ts.\n`)
  return exitCodes.done
}

/** The name as plugins have it: `systemg-plugin-` may be typed, and is not part of it. */
const pluginName = async (given: string): Promise<string> => {
  const [{ firstPartyPlugins }, { initError }] = await Promise.all([
    import('../first-party.ts'),
    import('../templates/errors.ts'),
  ])
  const name = given.replace(/^systemg-plugin-/, '')
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name) || name.length > 60)
    throw initError('SYSG_PLUGIN_NEW_NAME', { name: given, why: 'it is not lowercase words with hyphens between them' })
  if (firstPartyPlugins().some(({ plugin }) => plugin.name === name))
    throw initError('SYSG_PLUGIN_NEW_NAME', { name: given, why: 'a plugin of systemg has it' })
  return name
}
