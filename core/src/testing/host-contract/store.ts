/** `Host.store`. */
import type { Durable } from '../../host.ts'
import type { Part } from './session.ts'

export const storeContract: Part = (check, expect) => {
  check('keeps values by key, over the death of the supervisor', async (session) => {
    const table = session.host.store.table('services')
    table.set('api.v1', { pid: 7, tags: ['a', null, true, 1.5], text: 'grüße\n' })
    table.set('db', 'first')
    table.set('db', 'second')
    table.set('gone', 1)
    table.delete('gone')
    table.delete('never there')
    await session.reopen()
    const again = session.host.store.table('services')
    expect(again.get('api.v1')).toEqual({ pid: 7, tags: ['a', null, true, 1.5], text: 'grüße\n' })
    expect(again.get('db')).toBe('second')
    expect(again.get('gone')).toBe(undefined)
    expect(new Map(again.entries())).toEqual(
      new Map<string, Durable>([
        ['api.v1', { pid: 7, tags: ['a', null, true, 1.5], text: 'grüße\n' }],
        ['db', 'second'],
      ]),
    )
  })

  check('keeps tables apart, and knows a table by its name', async ({ host }) => {
    host.store.table('one').set('key', 1)
    host.store.table('two').set('key', 2)
    expect(host.store.table('one').get('key')).toBe(1)
    expect(host.store.table('two').get('key')).toBe(2)
    expect(host.store.table('three').entries()).toEqual([])
  })

  check('gives out copies', async ({ host }) => {
    const value = { list: [1] }
    const table = host.store.table('t')
    table.set('key', value)
    value.list.push(2)
    ;(table.get('key') as { list: number[] }).list.push(3)
    expect(table.get('key')).toEqual({ list: [1] })
  })

  check('tells null from nothing', async ({ host }) => {
    const table = host.store.table('t')
    table.set('null', null)
    expect(table.get('null')).toBe(null)
    expect(table.get('nothing')).toBe(undefined)
  })

  check('takes names that are words of other systems as keys', async ({ host }) => {
    const table = host.store.table('t')
    for (const key of ['__proto__', 'constructor', "'; drop table t; --", '', ' ']) table.set(key, key)
    for (const [key, value] of table.entries()) expect(value).toBe(key)
    expect(table.entries().length).toBe(5)
  })

  check('does all of a transaction', async (session) => {
    session.host.store.transaction(() => {
      session.host.store.table('a').set('x', 1)
      session.host.store.table('b').set('y', 2)
    })
    await session.reopen()
    expect(session.host.store.table('a').get('x')).toBe(1)
    expect(session.host.store.table('b').get('y')).toBe(2)
  })

  check('does nothing of a transaction that throws, and passes the error on', async (session) => {
    const { store } = session.host
    store.table('a').set('kept', 1)
    store.table('a').set('deleted', 1)
    const reason = new Error('changed my mind')
    const thrown = await session.failure(() =>
      store.transaction(() => {
        store.table('a').set('kept', 2)
        store.table('a').delete('deleted')
        store.table('b').set('new', 3)
        throw reason
      }),
    )
    expect(thrown).toBe(reason)
    expect([...store.table('a').entries()].sort()).toEqual([
      ['deleted', 1],
      ['kept', 1],
    ])
    expect(store.table('b').entries()).toEqual([])
    store.table('a').set('after', 1)
    expect(store.table('a').get('after')).toBe(1)
  })

  check('reads a log by number, time and count, flushed or not', async ({ host }) => {
    const log = host.store.log('events')
    expect(log.read({})).toEqual([])
    for (const seq of [1, 2, 3]) log.append(seq, seq * 100, { n: seq })
    log.flush()
    for (const seq of [4, 5]) log.append(seq, seq * 100, { n: seq })
    const seqs = (options: Parameters<typeof log.read>[0]) => log.read(options).map(({ seq }) => seq)
    expect(log.read({ after: 4 })).toEqual([{ seq: 5, timeMs: 500, value: { n: 5 } }])
    expect(seqs({})).toEqual([1, 2, 3, 4, 5])
    expect(seqs({ sinceMs: 300 })).toEqual([3, 4, 5])
    expect(seqs({ limit: 2 })).toEqual([4, 5])
    expect(seqs({ after: 1, sinceMs: 100, limit: 3 })).toEqual([3, 4, 5])
    expect(seqs({ after: 5 })).toEqual([])
    expect(seqs({ first: 2 })).toEqual([1, 2])
    expect(seqs({ after: 2, first: 9 })).toEqual([3, 4, 5])
    expect(seqs({ after: 3, first: 1 })).toEqual([4])
  })

  check('forgets single records of a log, flushed or not, for good', async (session) => {
    const log = session.host.store.log('events')
    for (const seq of [1, 2]) log.append(seq, seq, null)
    log.flush()
    for (const seq of [3, 4]) log.append(seq, seq, null)
    for (const seq of [2, 4, 9]) log.remove(seq)
    session.host.store.log('other').remove(1)
    expect(log.read({}).map(({ seq }) => seq)).toEqual([1, 3])
    log.flush()
    await session.reopen()
    expect(
      session.host.store
        .log('events')
        .read({})
        .map(({ seq }) => seq),
    ).toEqual([1, 3])
  })

  check('keeps flushed records over the death of the supervisor', async (session) => {
    const log = session.host.store.log('events')
    for (const seq of [1, 2, 3]) log.append(seq, seq, 'x')
    log.flush()
    await session.reopen()
    const again = session.host.store.log('events')
    expect(again.read({}).map(({ seq }) => seq)).toEqual([1, 2, 3])
    expect(again.last()).toBe(3)
  })

  check('writes records within a moment without being asked', async (session) => {
    session.host.store.log('events').append(1, 1, 'x')
    await session.at.pass(500)
    await session.reopen()
    expect(session.host.store.log('events').last()).toBe(1)
  })

  check('knows the last number of a log, and keeps logs apart', async ({ host }) => {
    expect(host.store.log('events').last()).toBe(0)
    host.store.log('events').append(41, 1, null)
    host.store.log('events').append(42, 1, null)
    expect(host.store.log('events').last()).toBe(42)
    expect(host.store.log('other').last()).toBe(0)
  })

  check('forgets all but the newest records when it is told to', async ({ host }) => {
    const log = host.store.log('events')
    for (let seq = 1; seq <= 10; seq++) log.append(seq, seq, seq)
    log.trim(3)
    expect(log.read({}).map(({ seq }) => seq)).toEqual([8, 9, 10])
    log.trim(100)
    expect(log.read({}).length).toBe(3)
    expect(log.last()).toBe(10)
  })
}
