/** Which words can be run. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { isRunnable } from '../../../cli/src/ad-hoc/runnable.ts'
import { tempFolder } from '../config/temp-folder.ts'

it('are paths to files that are there, and names of programs on PATH', () => {
  const cwd = tempFolder()
  mkdirSync(join(cwd, 'bin'))
  writeFileSync(join(cwd, 'bin', 'tool'), '#!/bin/sh\n', { mode: 0o755 })
  writeFileSync(join(cwd, 'bin', 'text'), 'no program', { mode: 0o644 })
  const found = [
    './bin/tool',
    'bin/tool',
    'bin/text',
    join(cwd, 'bin/tool'),
    'tool',
    'text',
    'bin',
    './bin',
    './no',
    '',
  ]
  const path = `/nowhere:${join(cwd, 'bin')}`
  expect(found.filter((word) => isRunnable(word, cwd, path))).toEqual([
    ...['./bin/tool', 'bin/tool', 'bin/text', join(cwd, 'bin/tool'), 'tool'],
  ])
  expect(isRunnable('tool', cwd, undefined)).toBe(false)
  expect(isRunnable('tool', join(cwd, 'bin'), '/nowhere:')).toBe(true)
})
