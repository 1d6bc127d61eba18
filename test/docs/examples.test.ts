/** What the pages show must work. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseYaml, resolveConfig } from '@systemg/core'
import { simulate } from '@systemg/core/testing'
import { restart } from '@systemg/plugins/restart'
import { describe, expect, it } from 'vitest'
import { firstPartyPlugins } from '../../cli/src/first-party.ts'
import quietHours from './quiet-hours.ts'

const docs = fileURLToPath(new URL('../../docs/', import.meta.url))
const here = fileURLToPath(new URL('./', import.meta.url))

const blocks = readdirSync(docs, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
  .flatMap((page) =>
    [...readFileSync(`${docs}${page}`, 'utf8').matchAll(/```(\w+)\n([\s\S]*?)```/g)].map((found) => ({
      page,
      language: found[1] ?? '',
      text: found[2] ?? '',
    })),
  )

describe('a config on a page', () => {
  const configs = blocks.filter(({ language, text }) => language === 'yaml' && /^services:/m.test(text))

  it.each(configs)('of $page is one: $text', async ({ text }) => {
    /** Files that examples include or read. */
    const readText = (path: string) => Promise.resolve(path.endsWith('.yaml') ? 'command: x' : '')
    const parsed = await parseYaml({ text, file: '/srv/systemg.yaml', readText })
    const { problems } = await resolveConfig({
      ...parsed,
      file: '/srv/systemg.yaml',
      folder: '/srv',
      plugins: firstPartyPlugins(),
      env: {},
      readText,
      projectDefault: { id: 'docs', name: 'docs' },
    })
    expect(problems.map(({ message }) => message)).toEqual([])
  })
})

describe('the plugin on a page', () => {
  it('is the one that is tested here', () => {
    const [, source = ''] = /^\/\*\*.*\*\/\n([\s\S]*)$/.exec(readFileSync(`${here}quiet-hours.ts`, 'utf8')) ?? []
    expect(blocks.map(({ text }) => text)).toContain(`// quiet-hours.ts\n${source}`)
  })

  it('keeps a service down in its quiet hours, and leaves the others to their policy', async () => {
    const policy = { command: 'x', restart_policy: 'always' } as const
    await using sim = await simulate([restart, quietHours], {
      quiet: { ...policy, quiet_hours: { from: 0, to: 23 } },
      loud: { ...policy, quiet_hours: { from: 12, to: 23 } },
    })
    await sim.service('quiet').exit({ code: 1 })
    await sim.service('loud').exit({ code: 1 })
    expect(sim.service('quiet').reason).toBe('gave up: quiet hours; exit code 1')
    expect(sim.service('loud').state).toBe('backoff')
  })
})
