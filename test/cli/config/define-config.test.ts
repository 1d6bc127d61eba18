import { describe, expect, it } from 'vitest'
import { defineConfig, definePlugin } from '../../../cli/src/index.ts'

describe('defineConfig', () => {
  it('gives back what it is given', () => {
    const config = { services: { a: { command: 'x' } } }
    expect(defineConfig(config)).toBe(config)
    const make = () => config
    expect(defineConfig(make)).toBe(make)
  })

  it('knows the keys of the core and of plugins, and no others', () => {
    const plugin = definePlugin({ name: 'mine' })
    const config = defineConfig({
      project: { id: 'shop' },
      plugins: ['systemg-plugin-x', './mine.ts', { use: 'systemg-plugin-y', port: 1 }, plugin],
      env: { vars: { A: '1' } },
      services: {
        db: { command: 'postgres', stop_timeout: '1m30s' },
        api: {
          exec: ['./api'],
          depends_on: { db: { condition: 'started' } },
          restart_policy: 'always',
          // @ts-expect-error: misspelt; `npm run types` checks that this is an error
          replcas: 2,
        },
      },
    })
    defineConfig(async () => ({ services: { a: { command: 'x' } } }))
    // @ts-expect-error: no such policy
    defineConfig({ services: { a: { command: 'x', restart_policy: 'sometimes' } } })
    expect(Object.keys(config)).toEqual(['project', 'plugins', 'env', 'services'])
  })
})
