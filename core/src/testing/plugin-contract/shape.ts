/** What a plugin is: a name, an API version, keys of its own. */
import { composeSchema } from '../../config/index.ts'
import { orderPlugins, pluginApiVersion } from '../../plugin.ts'
import type { PluginCheck } from '../plugin-contract.ts'
import { promised, usesOf } from './under-test.ts'

export const shapeChecks: readonly PluginCheck[] = [
  [
    'has a name of lowercase words, as its package has behind `systemg-plugin-`',
    async ({ name }) =>
      promised(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(name), `its name is ${JSON.stringify(name)}: use kebab-case`),
  ],
  [
    'was made for this version of the API',
    async ({ api = pluginApiVersion }) =>
      promised(api === pluginApiVersion, `its \`api\` is ${api}; this is ${pluginApiVersion}`),
  ],
  [
    'can be loaded: its options are taken, its order has no circle, its keys are nobody else’s',
    async (plugin, under) => {
      await composeSchema(orderPlugins(await usesOf(plugin, under)))
    },
  ],
]
