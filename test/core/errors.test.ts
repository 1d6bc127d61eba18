import { catalog, HostError, NotAnsweredBy, SysgError, whyOf } from '@systemg/core'
import { describe, expect, it, vi } from 'vitest'

/** What a plugin, a parser or a user wrote; a full stop is its writer's task. */
const text = { message: 'Something is wrong.', hint: 'Do something.' }

/** Facts for every code: the compiler asks for those of a new one. */
const facts: { readonly [C in keyof typeof catalog]: readonly Parameters<(typeof catalog)[C]>[0][] } = {
  SYSG_INTERNAL_TRANSITION: [{ table: 'replica', from: 'idle', cue: 'retry' }],
  SYSG_DEPENDENCY_CYCLE: [{ path: ['a', 'b', 'a'] }],
  SYSG_DEPENDENCY_UNKNOWN: [
    { service: 'api', name: 'bd', suggestion: 'db' },
    { service: 'api', name: 'x' },
  ],
  SYSG_DEPENDENCY_STOPPED: [
    { service: 'api', names: ['db'] },
    { service: 'api', names: ['db', 'cache'] },
  ],
  SYSG_DEPENDENCY_DOWN: [{ service: 'api', names: ['db'], reason: 'db is stopped' }],
  SYSG_SERVICE_UNKNOWN: [{ name: 'ap' }, { name: 'ap', suggestion: 'api' }],
  SYSG_NAME_TAKEN: [
    { name: 'api', command: './api', isAdHoc: true, isSame: true },
    { name: 'api', command: './api', isAdHoc: true, isSame: false },
    { name: 'api', command: './api', isAdHoc: false, isSame: false },
  ],
  SYSG_SERVICE_TRANSIENT: [{ name: 'orch:w1' }],
  SYSG_INSTANCE_GONE: [{ instance: 'orch-1' }],
  SYSG_AD_HOC_IN_THE_WAY: [{ names: ['api'] }, { names: ['api', 'web'] }],
  SYSG_SPAWN_FAILED: ['ENOENT', 'EACCES', 'EISDIR', 'ENOEXEC', 'EAGAIN', 'EMFILE', 'ENOMEM', 'EWHAT'].map((errno) => ({
    ...{ service: 'api', errno, why: './api: no such file' },
  })),
  SYSG_START_BLOCKED: [
    { service: 'api', reason: 'db is in backoff' },
    { service: 'api', reason: 'db failed: exit code 1', down: 'db' },
  ],
  SYSG_RUN_FAILED: [{ service: 'backup', reason: 'exit code 1' }],
  SYSG_START_FAILED: [{ service: 'api', reason: 'exit code 1' }],
  SYSG_DEPLOY_FAILED: [{ service: 'api', step: 'ready', reason: 'exit code 1' }],
  SYSG_DEPLOY_SUPERSEDED: [{ service: 'api', by: 'stop' }],
  SYSG_STOP_INCOMPLETE: [{ service: 'api', pids: [4, 5] }],
  SYSG_SERVICE_DAEMONIZED: [{ service: 'api' }],
  SYSG_METRIC_NAME: [{ plugin: 'p', name: 'a-b', why: 'it has a character that is not allowed there' }],
  SYSG_PLUGIN_FAILED: [
    { plugin: 'a', hook: 'prepare', service: 'api', why: 'no' },
    { plugin: 'a', hook: 'boot', why: 'no' },
  ],
  SYSG_PLUGIN_TIMEOUT: [
    { plugin: 'a', hook: 'prepare', service: 'api', limitMs: 5 },
    { plugin: 'a', hook: 'boot', limitMs: 5 },
  ],
  SYSG_PLUGIN_DUPLICATE: [{ plugin: 'a' }],
  SYSG_PLUGIN_KEY_TAKEN: [{ plugin: 'a', other: 'b', key: 'k', scope: 'service' }],
  SYSG_PLUGIN_API: [{ plugin: 'a', wants: 2, has: 1 }],
  SYSG_PLUGIN_ORDER: [{ path: ['a', 'b', 'a'] }],
  SYSG_PLUGIN_COMMAND: [{ plugin: 'a', name: 'status', why: 'systemg has one of this name' }],
  SYSG_PLUGIN_HOOK: [{ plugin: 'a', name: 'b:ask', why: 'a name is `a:` and one word' }],
  SYSG_PLUGIN_UNDECLARED: [{ plugin: 'a', kind: 'probes', name: 'redis' }],
  SYSG_PLUGIN_UNREGISTERED: [
    { plugin: 'a', kind: 'probes', name: 'redis' },
    { plugin: 'a', kind: 'strategies', name: 'canary' },
  ],
  SYSG_REGISTRY_TAKEN: [{ kind: 'probe', name: 'http', plugin: 'a', other: 'b' }],
  SYSG_SCALE_COUNT: [{ service: 'api', replicas: 5_000, max: 1_000 }],
  SYSG_REPLICAS_INCOMPLETE: [{ service: 'api', reason: '3 of 4 ready' }],
  SYSG_SHUTTING_DOWN: [undefined],
  SYSG_STOPPED_MEANWHILE: [undefined],
  SYSG_TIMEOUT: [{ what: 'The start', limitMs: 5 }],
  SYSG_CONFIG_INVALID: [
    { count: 1, file: 'sysg.yaml' },
    { count: 2, file: 'sysg.yaml' },
  ],
  SYSG_CONFIG_YAML: [text],
  SYSG_CONFIG_EMPTY: [{ what: 'The config', hint: 'Write one.' }],
  SYSG_CONFIG_INCLUDE: [{ path: 'a.yaml', why: 'is not there', chain: ['sysg.yaml', 'a.yaml'] }],
  SYSG_CONFIG_KEY_UNKNOWN: [{ key: 'comand', suggestion: 'command' }, { key: 'x' }, { key: 'x', hint: 'Move it.' }],
  SYSG_CONFIG_KEY_MISSING: [
    { what: '`api`', key: 'command' },
    { what: '`api`', key: 'command', expected: 'text' },
  ],
  SYSG_CONFIG_VALUE: [text],
  SYSG_CONFIG_SERVICE_NAME: [{ name: 'a b', why: 'it has a space' }],
  SYSG_CONFIG_VARIABLE_UNDEFINED: [
    { name: 'PORT', reference: '${PORT}' },
    { name: 'PORT', reference: '${PORT:?say it}', message: 'say it' },
  ],
  SYSG_CONFIG_VARIABLE_CIRCLE: [{ names: ['A', 'B'] }],
  SYSG_CONFIG_VARIABLE_SYNTAX: [{ reference: '${', why: 'is not closed' }],
  SYSG_CONFIG_COMBINATION: [text],
  SYSG_UNLISTED: [text],
}

describe('every error of the catalogue', () => {
  const cases = Object.entries(facts).flatMap(([code, all]) => all.map((each) => [code, each] as const))

  it('has a case here', () => {
    expect(Object.keys(facts).sort()).toEqual(Object.keys(catalog).sort())
  })

  it.each(cases)('%s %j says what happened and what to do', (code, each) => {
    const { message, hint } = (catalog[code as keyof typeof catalog] as (facts: unknown) => typeof text)(each)
    for (const said of [message, hint]) {
      expect(said).toMatch(/[.?…]$/)
      expect(said).toMatch(/^\S.*\S$/s)
      expect(said).not.toMatch(/undefined|null|\[object|\.\.$|NaN/)
    }
    expect(code).toMatch(/^SYSG_[A-Z]+(_[A-Z]+)*$/)
  })
})

describe('an error', () => {
  it('has a code, a message, a hint, its place and its cause', () => {
    const cause = new Error('disk')
    const at = { file: '/a.yaml', line: 3, column: 5 }
    const error = new SysgError('SYSG_SERVICE_UNKNOWN', { name: 'ap' }, { cause, at })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ ...{ name: 'SysgError', code: 'SYSG_SERVICE_UNKNOWN' }, at, cause })
    expect(error.message).toBe('There is no service `ap`.')
    expect(error.hint).toBe('`sysg status` lists the services.')
  })

  it('without a cause has none, not one that is undefined', () => {
    expect('cause' in new SysgError('SYSG_SHUTTING_DOWN', undefined)).toBe(false)
  })

  it('of a plugin has the code it was given, also for those who look at it as JSON', () => {
    const error = SysgError.of('SYSG_MINE_BROKEN', { message: 'It broke.' }, { cause: 1 })
    expect(error).toBeInstanceOf(SysgError)
    expect(error.code).toBe('SYSG_MINE_BROKEN')
    expect(error.message).toBe('It broke.')
    expect(error.hint).toBeUndefined()
    expect(error.cause).toBe(1)
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'SYSG_MINE_BROKEN' })
  })
})

describe('why something was thrown', () => {
  it.each<[unknown, string]>([
    [new Error('The disk is full.'), 'The disk is full'],
    [new Error('no stop'), 'no stop'],
    [new SysgError('SYSG_SERVICE_UNKNOWN', { name: 'x' }), 'There is no service `x`'],
    ['text.', 'text'],
    [undefined, 'undefined'],
    [{ toString: () => 'odd' }, 'odd'],
  ])('%s', (thrown, why) => {
    expect(whyOf(thrown)).toBe(why)
  })
})

describe('another copy of the core', () => {
  it('throws errors that are known as ours, and no others', async () => {
    vi.resetModules()
    const other = await import('@systemg/core')
    const foreign = new other.SysgError('SYSG_SERVICE_UNKNOWN', { name: 'api' })
    expect(other.SysgError).not.toBe(SysgError)
    expect(foreign).toBeInstanceOf(SysgError)
    expect(foreign).not.toBeInstanceOf(HostError)
    expect(new other.HostError('EIO', 'a disk')).toBeInstanceOf(HostError)
    expect(new other.NotAnsweredBy('other', 'somebody else')).toBeInstanceOf(NotAnsweredBy)
    expect(new Error('SysgError')).not.toBeInstanceOf(SysgError)
  })
})
