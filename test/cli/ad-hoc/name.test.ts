/** Names made of programs. */
import { serviceNamePattern } from '@systemg/core'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nameFor } from '../../../cli/src/ad-hoc/name.ts'

const free = () => false

it.each([
  ['node', 'node'],
  ['/usr/bin/python3.12', 'python3.12'],
  ['./server.sh', 'server.sh'],
  ['my program', 'my-program'],
  ['./.hidden', 'hidden'],
  ['_x', 'x'],
  ['söft', 's-ft'],
  ['[', 'service'],
  ['/', 'service'],
  ['never', 'never-2'],
  ['all-done', 'all-done-2'],
])('%s is called %s', (program, name) => {
  expect(nameFor(program, free)).toBe(name)
})

it('gets the first number that is free when the name is taken', () => {
  const taken = new Set(['node', 'node-2', 'node-4'])
  expect(nameFor('node', (name) => taken.has(name))).toBe('node-3')
})

it('is a name that a service may have, whatever the program and whatever is taken', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 90 }), fc.nat(12), (program, count) => {
      const taken = new Set<string>()
      for (let more = count; more >= 0; more -= 1) {
        const name = nameFor(program, (candidate) => taken.has(candidate))
        expect(name).toMatch(serviceNamePattern)
        expect(taken).not.toContain(name)
        taken.add(name)
      }
    }),
    { numRuns: 200 },
  )
})
