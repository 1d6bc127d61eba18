import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lastLines, lastWords } from '../../../cli/src/supervisor/daemon.ts'

it('what a supervisor said last is told without stacks, empty lines and what is said of Node', () => {
  const text = `
file:///x/run-daemon.mjs:35
throw new Error('half of it is missing')
      ^

Error: half of it is missing
    at file:///x/run-daemon.mjs:35:7
    at async main (file:///x/main.mjs:1:1)

Node.js v26.10.0
`
  expect(lastLines(text).split('\n').at(-1)).toBe('Error: half of it is missing')
  expect(lastLines('1\n2\n3\n4\n5\n6\n')).toBe('2\n3\n4\n5\n6')
})

it('what it said before is left out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sysg-words-'))
  const path = join(folder, 'boot.log')
  writeFileSync(path, 'älter\nnew\n')
  expect(lastWords(path, Buffer.byteLength('älter\n'))).toBe('new')
  expect(lastWords(join(folder, 'none'))).toBe('')
  rmSync(folder, { recursive: true })
})
