/** What services are made of besides their keys, as plugins tell it. */
import { definePlugin } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { load } from './load-config.ts'

/** Each service is made of the text of its command's file. */
const scripts = (failure?: Error) =>
  definePlugin({
    name: 'scripts',
    inputs: async ({ config, readText }) => {
      if (failure !== undefined) throw failure
      const told = Object.values(config.services).map(async ({ name, argv: [script] }) => {
        const text = await readText(script)
        return [name, text === undefined ? {} : { [`the script ${script}`]: text }] as const
      })
      return Object.fromEntries(await Promise.all(told))
    },
  })

const config = 'services: { a: { command: /a.sh }, b: { command: /b.sh }, c: { command: /c.sh } }'

const inputsOf = async (files: Record<string, string>) => {
  const { system } = await load(config, { files, plugins: [scripts()] })
  return ['a', 'b', 'c'].map((name) => Object.values(system?.services[name]?.inputs ?? {})[0])
}

describe('inputs', () => {
  it('are kept as fingerprints that differ for different content, by service', async () => {
    const { system } = await load(config, { files: { '/a.sh': 'secret' }, plugins: [scripts()] })
    expect(Object.keys(system?.services['a']?.inputs ?? {})).toEqual(['the script /a.sh'])
    expect(JSON.stringify(system)).not.toContain('secret')
    const [a, b, c] = await inputsOf({ '/a.sh': 'one', '/b.sh': 'one', '/c.sh': 'eno' })
    expect(a).toMatch(/^[0-9a-f]{16}$/)
    expect(b).toBe(a)
    expect(c).not.toBe(a)
  })

  it('tell a thousand contents apart', async () => {
    const texts = Array.from({ length: 1_000 }, (_, index) => `PORT=${index}`)
    const services = texts.map((_, index) => `s${index}: { command: /${index} }`).join(', ')
    const files = Object.fromEntries(texts.map((text, index) => [`/${index}`, text]))
    const { system } = await load(`services: { ${services} }`, { files, plugins: [scripts()] })
    const prints = Object.values(system?.services ?? {}).flatMap(({ inputs = {} }) => Object.values(inputs))
    expect(new Set(prints).size).toBe(texts.length)
  })

  it('are left out of a service that has none', async () => {
    const { system } = await load(config, { files: { '/a.sh': 'x' }, plugins: [scripts()] })
    expect(system?.services['b']).not.toHaveProperty('inputs')
  })

  it('that a plugin fails to tell are a problem that names it', async () => {
    const { problems, system } = await load(config, { plugins: [scripts(new Error('no disk'))] })
    expect(system).toBeUndefined()
    expect(problems).toMatchObject([
      { code: 'SYSG_PLUGIN_FAILED', message: expect.stringMatching(/scripts.*inputs.*no disk/) as string },
    ])
  })

  it('are not asked for in a config with mistakes', async () => {
    const { problems } = await load('services: { a: { comand: x } }', { plugins: [scripts(new Error('no disk'))] })
    expect(problems.map(({ code }) => code)).not.toContain('SYSG_PLUGIN_FAILED')
  })
})
