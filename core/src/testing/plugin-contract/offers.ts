/** What a plugin offers to people and to other plugins: commands and hooks. */
import { z } from 'zod'
import { collectCommands } from '../../plugin-command.ts'
import { offeredHooks } from '../../plugin-hooks.ts'
import type { PluginCheck } from '../plugin-contract.ts'
import { promised, usesOf } from './under-test.ts'

export const offerChecks: readonly PluginCheck[] = [
  [
    'brings commands whose names are words and nobody else’s, each with a description',
    async (plugin, under) => {
      for (const [name, { command }] of collectCommands(await usesOf(plugin, under)))
        promised(isSentence(command.description), `the command \`${name}\` needs a description, without a full stop`)
    },
  ],
  [
    'brings commands whose options are words, each with a description',
    async ({ commands = {} }) => {
      for (const [name, { args = {} }] of Object.entries(commands)) {
        for (const [arg, schema] of Object.entries(args)) {
          const option = `\`--${arg}\` of the command \`${name}\``
          promised(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(arg), `${option}: use kebab-case`)
          const { description = '', alias } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
          const isFree =
            alias === undefined || (typeof alias === 'string' && /^[a-zA-Z]$/.test(alias) && !'cphV'.includes(alias))
          promised(
            isFree,
            `${option} has an \`alias\` that is no letter, or one of \`-c -p -h -V\`, which every command has`,
          )
          promised(description !== '', `${option} has no description: add \`.describe('…')\` to its schema`)
        }
      }
    },
  ],
  [
    'offers hooks under its own name, and says what each is for and what its taps may answer',
    async (plugin) => {
      for (const [name, { description, answer }] of offeredHooks([plugin])) {
        promised(description !== '', `the hook \`${name}\` needs a description`)
        const isSaid = answer === undefined || (answer.description ?? '') !== ''
        promised(isSaid, `\`answer\` of the hook \`${name}\` has no description: it is in the message for another one`)
      }
    },
  ],
]

const isSentence = (text: string): boolean => text.trim() !== '' && !text.endsWith('.')
