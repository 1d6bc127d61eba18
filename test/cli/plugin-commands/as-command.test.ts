import { SysgError, z, type PluginCommand } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { exitCodeOf } from '../../../cli/src/exit-codes.ts'
import { isCoded } from '../../../cli/src/failures.ts'
import { argsDef } from '../../../cli/src/plugin-commands/args.ts'
import { asCommand } from '../../../cli/src/plugin-commands/as-command.ts'
import { run, stateRoot } from '../commands/fake-supervisor.ts'

const made = (command: Partial<PluginCommand> & Pick<PluginCommand, 'run'>, options?: unknown) => {
  const whole = { description: 'Ask', positionals: '[word…]', ...command }
  return asCommand({ name: 'ask', plugin: 'oracle', command: whole, options }, argsDef(whole))
}

const outcome = async (command: Parameters<typeof made>[0], ...words: readonly string[]) => {
  await using home = stateRoot()
  await home.supervise({
    'oracle.ask': async (params, { notify }) => {
      await notify('thinking', { about: params })
      return { answer: 42 }
    },
    'oracle.refuse': () => Promise.reject(SysgError.of('SYSG_ORACLE', { message: 'Not today.', hint: 'Ask again.' })),
  })
  return await run(home.root, made(command), 'ask', words)
}

const failure = async (command: Parameters<typeof made>[0], ...words: readonly string[]) =>
  outcome(command, ...words).then(
    ({ exitCode }) => expect.fail(`it ended with ${exitCode}`),
    (thrown: unknown) => {
      if (!isCoded(thrown)) throw thrown
      return { code: thrown.code, message: thrown.message, exit: exitCodeOf(thrown.code) }
    },
  )

describe('a command of a plugin', () => {
  it('asks the supervisor, hears what it tells meanwhile, and prints the answer', async () => {
    const heard: unknown[] = []
    const ask: PluginCommand['run'] = async ({ control, print, positionals, rest }) => {
      const answer = await control.call(
        'oracle.ask',
        { positionals, rest },
        { onNotify: (...told) => heard.push(told) },
      )
      print(answer, () => ['line one', 'line \u001b[31mtwo\u001b[0m'])
    }
    expect(await outcome({ run: ask }, 'why', '--', '-x')).toMatchObject({
      exitCode: 0,
      stdout: 'line one\nline two\n',
    })
    expect(heard).toEqual([['thinking', expect.objectContaining({ about: { positionals: ['why'], rest: ['-x'] } })]])
    expect(await outcome({ run: ask }, '--json')).toMatchObject({ stdout: '{"answer":42}\n' })
  })

  it('has the options of its plugin, and what was typed', async () => {
    await using home = stateRoot()
    const command = made(
      { args: { n: z.int() }, run: ({ args, options, out }) => out(JSON.stringify([args, options])) },
      { url: 'x' },
    )
    expect(await run(home.root, command, 'ask', ['--n', '3'])).toMatchObject({
      stdout: '[{"n":3},{"url":"x"}]',
      exitCode: 0,
    })
  })

  it.each([0, 1, 7, 255])('ends with the exit code %i that it gives', async (code) => {
    expect(await outcome({ run: () => code })).toMatchObject({ exitCode: code })
  })

  it.each([256, -1, 1.5, Number.NaN])('that gives %d as exit code has failed', async (code) => {
    expect(await failure({ run: () => code })).toEqual({
      ...{ code: 'SYSG_PLUGIN_FAILED', exit: 1 },
      message: `Plugin \`oracle\` failed in \`sysg ask\`: it ended with ${code}, which is no exit code.`,
    })
  })

  it('that throws ends with 1, and the error names the plugin', async () => {
    const boom: PluginCommand['run'] = () => {
      throw new TypeError('boom')
    }
    for (const run of [boom, async () => Promise.reject(new TypeError('boom'))])
      expect(await failure({ run })).toEqual({
        ...{ code: 'SYSG_PLUGIN_FAILED', exit: 1 },
        message: 'Plugin `oracle` failed in `sysg ask`: boom.',
      })
  })

  it('that throws an error with a code keeps it; so does one of a control method', async () => {
    expect(await failure({ run: ({ control }) => control.call('oracle.refuse').then(() => 0) })).toMatchObject({
      ...{ code: 'SYSG_ORACLE', exit: 1, message: 'Not today.' },
    })
    const misused = await failure({ run: ({ misuse }) => Promise.reject(misuse('One word, please.')) })
    expect(misused).toEqual({ code: 'SYSG_USAGE', exit: 2, message: 'One word, please.' })
  })

  it('says so when the supervisor runs without its plugin', async () => {
    expect(await failure({ run: ({ control }) => control.call('oracle.new').then(() => 0) })).toMatchObject({
      code: 'SYSG_PLUGIN_NOT_RUNNING',
      message: expect.stringContaining('does not know `oracle.new`: it runs without the plugin `oracle`') as string,
    })
  })

  it('ends with 3 when it asks and no supervisor runs, and works when it asks nothing', async () => {
    await using home = stateRoot()
    const asking = run(home.root, made({ run: ({ control }) => control.call('x').then(() => 0) }), 'ask', [])
    await expect(asking).rejects.toMatchObject({ code: 'SYSG_NO_SUPERVISOR' })
    expect(exitCodeOf('SYSG_NO_SUPERVISOR')).toBe(3)
    expect(await run(home.root, made({ run: ({ out }) => out('hi') }), 'ask', [])).toMatchObject({ stdout: 'hi' })
  })

  it('takes no option that its schema does not want', async () => {
    expect(await failure({ args: { n: z.int() }, run: () => 0 }, '--n', 'x')).toMatchObject({
      ...{ code: 'SYSG_USAGE', exit: 2, message: expect.stringMatching(/^`--n`: .+\.$/) as string },
    })
  })

  it('closes its connection', async () => {
    await using home = stateRoot()
    const supervisor = await home.supervise({ x: () => supervisor.connections })
    const command = made({ run: ({ control }) => control.call('x').then(Number) })
    expect(await run(home.root, command, 'ask', [])).toMatchObject({ exitCode: 1 })
    await expect.poll(() => supervisor.connections).toBe(0)
  })

  it.each([
    ['has ended in the way it wants when it was asked to end', 4, () => 4],
    ['was interrupted when it rejects then', 130, () => Promise.reject(new Error('aborted'))],
  ])('that asks for Ctrl-C %s', async (_title, exitCode, end) => {
    const following: PluginCommand['run'] = async ({ signal }) => {
      const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
      process.emit('SIGINT')
      await aborted
      return end()
    }
    const before = process.listenerCount('SIGINT')
    expect(await outcome({ run: following })).toMatchObject({ exitCode })
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
