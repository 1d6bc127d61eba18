/** Every first-party plugin keeps what is asked of a plugin; and the suite finds those that do not. */
import { definePlugin, z, type Plugin } from '@systemg/core'
import { pluginContract, type PluginUnderTest } from '@systemg/core/testing'
import { describe, expect, it } from 'vitest'
import { firstPartyPlugins } from '../../cli/src/first-party.ts'

const socket = '/run/sysg.sock'
const uses = firstPartyPlugins({ control: { socket } })

/** What makes each of them act. */
const acting: Readonly<Record<string, PluginUnderTest>> = {
  control: { options: { socket } },
  cron: { service: { cron: '*/5 * * * * *' }, program: (self) => void self.after(100, () => self.exit()) },
  deploy: { service: { deployment: { strategy: 'rolling', pre_start: 'true', grace_period: '1s' } } },
  dotenv: { service: { env: { vars: { A: '1' } } } },
  health: { service: { health_check: { command: 'true' } } },
  restart: { service: { restart_policy: 'always', backoff: '1s' } },
  sockets: { service: { sockets: ['tcp://127.0.0.1:8080'] } },
}

for (const { plugin } of uses) pluginContract(plugin, { describe, it }, acting[plugin.name])

/** Runs a suite here and now. */
const findings = async (plugin: Plugin, under?: PluginUnderTest): Promise<readonly string[]> => {
  const checks: [string, () => Promise<void>][] = []
  pluginContract(plugin, { describe: (_, body) => body(), it: (title, body) => checks.push([title, body]) }, under)
  const found: string[] = []
  for (const [, check] of checks)
    await check().catch((thrown: unknown) => found.push(thrown instanceof Error ? thrown.message : String(thrown)))
  return found
}

/** Kept outside of `setup`, as it should not be. */
const shared: unknown[] = []

/** As a plugin in JavaScript may declare it. */
const hook = (name: string, description: string, answer?: z.ZodType): Pick<Plugin, 'hooks'> => ({
  hooks: { [name]: { kind: 'sync bail', onError: 'fail', description, answer } },
})

const broken: readonly (readonly [what: string, plugin: Plugin, finding: RegExp])[] = [
  ['has a bad name', definePlugin({ name: 'My_Plugin' }), /use kebab-case/],
  ['was made for another API', definePlugin({ name: 'old', api: 7 }), /its `api` is 7/],
  [
    'claims a key of the core',
    definePlugin({ name: 'thief', service: { command: z.string() } }),
    /claim the service key/,
  ],
  [
    'says nothing of a key',
    definePlugin({ name: 'silent', service: { a: z.string().optional() } }),
    /`a` has no description/,
  ],
  [
    'says nothing of a key within a key',
    definePlugin({
      name: 'silent',
      system: { a: z.strictObject({ b: z.int().optional() }).optional().describe('All of it.') },
    }),
    /`a.b` has no description/,
  ],
  [
    'says nothing of a command',
    definePlugin({ name: 'silent', commands: { ask: { description: '', run: () => 0 } } }),
    /the command `ask` needs a description/,
  ],
  [
    'has a command that is no word',
    definePlugin({ name: 'loud', commands: { 'Ask it': { description: 'Ask', run: () => 0 } } }),
    /the command `Ask it`: a name is lowercase words/,
  ],
  [
    'says nothing of an option of a command',
    definePlugin({ name: 'silent', commands: { ask: { description: 'Ask', args: { n: z.int() }, run: () => 0 } } }),
    /`--n` of the command `ask` has no description/,
  ],
  [
    'takes a short name of every command',
    definePlugin({
      name: 'thief',
      commands: { ask: { description: 'Ask', args: { n: z.int().describe('N').meta({ alias: 'c' }) }, run: () => 0 } },
    }),
    /`--n` of the command `ask` has an `alias` that is no letter, or one of `-c -p -h -V`/,
  ],
  [
    'offers a hook under another name',
    definePlugin({ name: 'thief', ...hook('other:ask', 'x') }),
    /hook `other:ask`: a name is `thief:` and one word/,
  ],
  ['says nothing of a hook', definePlugin({ name: 'silent', ...hook('silent:ask', '') }), /`silent:ask` needs a desc/],
  [
    'says nothing of what a hook takes',
    definePlugin({ name: 'silent', ...hook('silent:ask', 'x', z.string()) }),
    /`answer` of the hook `silent:ask` has no description/,
  ],
  [
    'says nothing of an option',
    definePlugin({ name: 'silent', options: z.strictObject({ a: z.int().optional() }) }),
    /`options.a`/,
  ],
  [
    'takes typos',
    definePlugin({ name: 'loose', service: { a: z.object({}).optional().describe('Anything.') } }),
    /takes any key/,
  ],
  [
    'acts in setup',
    definePlugin({ name: 'hasty', setup: ({ host }) => void host.clock.timer(1_000, () => undefined) }),
    /`setup` sets a timer/,
  ],
  [
    'leaves a timer',
    definePlugin({
      name: 'careless',
      setup: ({ hooks, host }) =>
        hooks.started.tap('careless', () => void host.clock.timer(3_600_000, () => undefined)),
    }),
    /timers were left behind/,
  ],
  [
    'throws',
    definePlugin({
      name: 'broken',
      setup: ({ hooks }) =>
        hooks.stopped.tap('broken', () => {
          throw new Error('no')
        }),
    }),
    /Plugin `broken` failed in `stopped`/,
  ],
  [
    'refuses what is no business of its',
    definePlugin({
      name: 'greedy',
      setup: ({ hooks }) =>
        hooks.beforeStart.tap('greedy', () => {
          throw new Error('no licence')
        }),
    }),
    /a service without its keys is failed/,
  ],
  [
    'remembers other systems',
    definePlugin({
      name: 'shared',
      setup: ({ hooks }) => {
        hooks.prepare.tap('shared', (spec) => ({ ...spec, env: { ...spec.env, N: String(shared.push(spec)) } }))
        hooks.retry.tap('shared', () => ({ giveUp: `${shared.length} starts` }))
      },
    }),
    /two runs differ/,
  ],
]

describe('the suite', () => {
  it.each(broken)('finds one that %s', async (_, plugin, finding) => {
    expect((await findings(plugin)).join('\n')).toMatch(finding)
  })

  it('finds nothing in one that is good', async () => {
    expect(await findings(definePlugin({ name: 'good' }))).toEqual([])
  })
})
