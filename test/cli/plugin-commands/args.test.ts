import { definePlugin, duration, z, type PluginCommand } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { parseFor } from '../../../cli/src/parse.ts'
import { argsDef, readArgs } from '../../../cli/src/plugin-commands/args.ts'
import { asCommand } from '../../../cli/src/plugin-commands/as-command.ts'
import { usageOf } from '../../../cli/src/usage.ts'

const flush: PluginCommand = {
  description: 'Empty a Redis',
  positionals: '<service>',
  args: {
    all: z.boolean().default(false).describe('Every database').meta({ alias: 'a' }),
    db: z.int().min(0).max(15).default(0).describe('The number of one'),
    wait: duration.prefault('5s').describe('How long it may take').meta({ hint: '5s' }),
    how: z.enum(['sync', 'async']).optional().describe('In the background or not'),
    reason: z.string().optional().describe('Why').meta({ alias: 'm' }),
  },
  run: () => undefined,
}
const command = asCommand({ name: 'flush', plugin: 'redis', command: flush }, argsDef(flush))

const read = (...words: readonly string[]) => readArgs(flush, parseFor('flush', command, words).typed.values)

describe('options of a command of a plugin', () => {
  it('are read as their schemas say', () => {
    expect(read()).toEqual({
      values: { all: false, db: 0, wait: 5_000, how: undefined, reason: undefined },
      mistakes: [],
    })
    const words = ['--all', '--db', '3', '--wait=1m', '--how', 'async', '-m', '7']
    expect(read(...words).values).toEqual({ all: true, db: 3, wait: 60_000, how: 'async', reason: '7' })
    expect(read('-a', '--no-all').values).toMatchObject({ all: false })
  })

  it('are all checked, and each mistake names its option', () => {
    expect(read('--db', '16', '--wait', 'soon', '--how', 'later').mistakes).toEqual([
      expect.stringMatching(/^`--db`: .*15/),
      expect.stringMatching(/^`--wait`: ./),
      expect.stringMatching(/^`--how`: .*sync/),
    ])
    expect(read('--db', 'x').mistakes).toEqual([expect.stringMatching(/^`--db`: /)])
  })

  it('that are needed and missing are named', () => {
    const needy: PluginCommand = { ...flush, args: { to: z.string().describe('Where') } }
    expect(readArgs(needy, {}).mistakes).toEqual(['`--to` is needed'])
  })

  it('are in the help, as those of other commands are', async () => {
    const help = await usageOf('flush', { ...command, from: 'redis' })
    expect(help).toContain('Empty a Redis. From the plugin redis')
    expect(help).toContain('sysg flush <service>')
    expect(help).toMatch(/-a, --all +Every database/)
    expect(help).toMatch(/--db=<number> +The number of one/)
    expect(help).toMatch(/--wait=<5s>/)
    expect(help).toMatch(/--how=<sync\|async>/)
    expect(help).toMatch(/-c, --config=<file>/)
  })

  it('are typed where they are written', () => {
    const plugin = definePlugin({
      name: 'redis',
      options: z.strictObject({ port: z.int() }),
      commands: {
        flush: {
          description: 'x',
          args: { db: z.int().default(0), all: z.boolean().optional() },
          run({ args, options }) {
            const numbers: readonly number[] = [args.db, options.port]
            const flag: boolean | undefined = args.all
            // @ts-expect-error -- there is no such option
            return Number(args.nothing) + numbers.length + Number(flag)
          },
        },
      },
    })
    // @ts-expect-error -- an exit code is a number
    const wrong = definePlugin({ name: 'redis', commands: { list: { description: 'y', run: () => 'done' } } })
    expect([plugin, wrong].map(({ commands }) => Object.keys(commands ?? {}))).toEqual([['flush'], ['list']])
  })
})
