import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { cursorOf, linesOf, StreamLog } from '@systemg/plugins/logs'
import { nodeFiles } from '../../../cli/src/host/files.ts'
import { clearStored, storedLogs } from '../../../cli/src/unsupervised/stored-logs.ts'
import { testHost } from '../host/node-host-for-tests.ts'

const limits = { maxBytes: 1_024, maxFiles: 5 }

it('gives one that reads on everything that was written after logs were cleared without a supervisor', async () => {
  await using test = testHost()
  const folder = join(test.folder, 'logs')
  const base = join(folder, 'api', '0', 'stdout')
  mkdirSync(join(folder, 'api', '0'), { recursive: true })
  const log = await StreamLog.open(nodeFiles, base, limits)
  log.begin('api-1')
  log.write(Buffer.from(`${'x'.repeat(99)}\n`.repeat(25)), 1)
  const after = { 'api/0/stdout': cursorOf(log.end) }
  log.close()

  await clearStored(folder, ['api'])
  const next = await StreamLog.open(nodeFiles, base, limits)
  next.begin('api-1')
  next.write(Buffer.from('new\n'), 2)
  next.close()

  const everything = { services: undefined, lines: undefined, sinceMs: undefined, untilMs: undefined, grep: undefined }
  const { lines } = await storedLogs(folder, { ...everything, kind: 'all' }, [], { after })
  const found: string[] = []
  for await (const runs of lines) found.push(...runs.flatMap(linesOf).map(({ bytes }) => Buffer.from(bytes).toString()))
  expect(found).toEqual(['new\n'])
})
