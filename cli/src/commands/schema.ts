/** `sysg schema`: the JSON Schema of configs, with the keys of every plugin that the config here loads. */
import type { Command } from '../command.ts'
import { exitCodes } from '../exit-codes.ts'
import { isCoded } from '../failures.ts'

export const command: Command = {
  description: 'Print the JSON Schema of configs, for editors',
  run: async ({ terminal, globals, cwd, env }) => {
    const [{ jsonSchema }, { loadConfig }, { firstPartyPlugins }] = await Promise.all([
      import('@systemg/core'),
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
    terminal.out(`${JSON.stringify(jsonSchema(plugins), undefined, 2)}\n`)
    return exitCodes.done
  },
}
