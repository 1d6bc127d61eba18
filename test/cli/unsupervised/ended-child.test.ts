import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { SysgError } from '@systemg/core'
import { expect, it } from 'vitest'
import { endedChild } from '../../../cli/src/unsupervised/ended-child.ts'
import { stateRoot } from '../commands/fake-supervisor.ts'
import { record } from '../commands/recorded.ts'

const nowMs = Date.parse('2026-01-31T12:00:00Z')

const exited = (seq: number, service: string, code: number, reason: string | null = null) => ({
  ...{ seq, time: new Date(nowMs - 60_000 + seq * 1_000).toISOString(), project: 'shop', service: 'orch' },
  type: 'spawn.exited',
  data: { name: 'd', pid: 7, exit: { code, signal: null }, reason, service },
})

const unknown = (name: string) => new SysgError('SYSG_SERVICE_UNKNOWN', { name, suggestion: 'orch' })

it('tells how a child ended, the last time, and leads to events and logs', async () => {
  await using home = stateRoot()
  record(home.paths, {}, [exited(1, 'orch:d', 1), exited(2, 'orch:d', 3, 'its time was up'), exited(3, 'orch:e', 0)])
  const told = endedChild(unknown('orch:d'), ['orch:d'], home.paths, nowMs)
  expect(told?.code).toBe('SYSG_SERVICE_UNKNOWN')
  expect(told?.message).toMatch(/^`orch:d` has ended 58s ago: .*code 3, its time was up\.$/)
  expect(told?.hint).toBe('`sysg events orch` tells of it; `sysg status orch` shows what runs.')
  mkdirSync(join(home.paths.logs, 'orch:d'), { recursive: true })
  expect(endedChild(unknown('orch:d'), ['orch:d'], home.paths, nowMs)?.hint).toContain('`sysg logs orch:d` shows')
})

it('knows nothing of others', async () => {
  await using home = stateRoot()
  expect(endedChild(unknown('orch:d'), ['orch:d'], home.paths, nowMs)).toBeUndefined()
  record(home.paths, {}, [exited(1, 'orch:d', 1)])
  expect(endedChild(unknown('orch:dd'), ['orch:dd'], home.paths, nowMs)).toBeUndefined()
  expect(endedChild(unknown('nosuch'), ['orch:d', 'nosuch'], home.paths, nowMs)).toBeUndefined()
})
