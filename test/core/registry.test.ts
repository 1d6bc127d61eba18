import { Registry } from '@systemg/core'
import { expect, it } from 'vitest'

it('gives back what was registered, with who brought it, in order', () => {
  const registry = new Registry<number>('probe')
  registry.register('redis', 1, 'redis-plugin')
  registry.register('http', 2, 'health')
  expect(registry.get('redis')).toBe(1)
  expect(registry.list()).toEqual([
    { name: 'redis', plugin: 'redis-plugin', value: 1 },
    { name: 'http', plugin: 'health', value: 2 },
  ])
})

it('knows nothing that was not registered, whatever objects are born with', () => {
  const registry = new Registry<number>('probe')
  expect(registry.get('constructor')).toBeUndefined()
  expect(registry.get('')).toBeUndefined()
  expect(registry.list()).toEqual([])
})

it('refuses a name twice, names both plugins, and keeps the first', () => {
  const registry = new Registry<number>('control method')
  registry.register('status', 1, 'control')
  expect(() => registry.register('status', 2, 'mine')).toThrow(
    expect.objectContaining({
      code: 'SYSG_REGISTRY_TAKEN',
      message: 'Plugins `control` and `mine` both register the control method `status`.',
    }),
  )
  expect(registry.get('status')).toBe(1)
})

it('may hold a value that is undefined or false, and still has its name', () => {
  const registry = new Registry<unknown>('probe')
  registry.register('nothing', undefined, 'a')
  expect(() => registry.register('nothing', 1, 'b')).toThrow()
})
