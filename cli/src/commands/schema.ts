/** `sysg schema`: the JSON Schema of configs, with the keys of every plugin that the config here loads. */
import { resolve } from 'node:path'
import type { Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { isCoded } from '../failures.ts'

export const command: Command = {
  description: 'Print the JSON Schema of configs, for editors',
  args: {
    output: { type: 'string', alias: 'o', description: 'Write it into a file, not to stdout', valueHint: 'file' },
  },
  run: async ({ terminal, typed, globals, cwd, env }) => {
    const [{ schemaText }, { loadConfig }, { firstPartyPlugins }] = await Promise.all([
      import('../config/schema-file.ts'),
      import('../config/load-config.ts'),
      import('../first-party.ts'),
    ])
    const firstParty = firstPartyPlugins()
    const loading = loadConfig({ cwd, env, config: globals.config, sys: globals.sys, firstParty })
    const plugins = await loading.then(
      (loaded) => loaded.plugins,
      (thrown: unknown) => {
        const isWithout = isCoded(thrown) && thrown.code === 'SYSG_CONFIG_NOT_FOUND' && globals.config === undefined
        if (isWithout) return firstParty
        throw thrown
      },
    )
    const text = await schemaText(plugins)
    const { output } = typed.values
    if (typeof output === 'string') {
      const { writeFile } = await import('../templates/write-file.ts')
      writeFile(resolve(cwd, output), output, text, { replace: true })
    } else terminal.out(text)
    return exitCodes.done
  },
}
