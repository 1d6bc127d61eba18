import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { acquireLock, openStore } from '../../../cli/src/host/index.ts'
import { testFolder, until } from './node-host-for-tests.ts'

describe('tables', () => {
  it('keep values over a restart, readable by others meanwhile', () => {
    const folder = testFolder()
    const store = openStore(folder)
    const table = store.table('instances')
    const value = { pid: 5, names: ['a.b', 'ünï', '\u0000', '\ud83d\ude00'], none: null, deep: { yes: true } }
    table.set('api-1', value)
    table.set('api-0', 1)
    store.table('other').set('api-1', 'not this')
    const beside = openStore(folder, { readOnly: true })
    expect(beside.table('instances').get('api-1')).toEqual(value)
    expect(() => beside.table('instances').set('x', 1)).toThrow(expect.objectContaining({ errno: 'EROFS' }))
    beside.close()
    table.delete('api-0')
    store.close()

    const later = openStore(folder)
    expect(later.table('instances').entries()).toEqual([['api-1', value]])
    expect(later.table('instances').get('api-0')).toBeUndefined()
    later.close()
  })

  it('write all of a transaction or nothing', () => {
    const store = openStore(testFolder())
    const table = store.table('t')
    const log = store.log('l')
    const fail = () =>
      store.transaction(() => {
        table.set('a', 1)
        store.transaction(() => table.set('b', 2))
        log.append(1, 1, 'x')
        throw new Error('no')
      })
    expect(fail).toThrow('no')
    expect(table.entries()).toEqual([])
    expect(log.read({})).toEqual([])
    store.transaction(() => {
      table.set('a', 1)
      table.set('b', 2)
    })
    expect(table.entries()).toHaveLength(2)
    store.close()
  })

  it('are private files', () => {
    const folder = testFolder()
    const store = openStore(folder)
    store.table('t').set('secret', 'x')
    store.log('l').append(1, 1, 'x')
    store.log('l').flush()
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777, name).toBe(0o600)
    store.close()
  })

  it('read as empty when a supervisor was killed while it made them, and are made by the next one', () => {
    const [folder, left] = [testFolder(), testFolder()]
    const making = new DatabaseSync(join(folder, 'state.db'))
    making.exec('PRAGMA cache_size = 1; BEGIN; CREATE TABLE t (x)')
    const insert = making.prepare('INSERT INTO t VALUES (randomblob(4096))')
    for (let rows = 0; rows < 100; rows++) insert.run()
    for (const name of ['state.db', 'state.db-journal']) copyFileSync(join(folder, name), join(left, name))
    making.close()

    const beside = openStore(left, { readOnly: true })
    expect(beside.table('instances').entries()).toEqual([])
    beside.close()
    const next = openStore(left)
    next.table('instances').set('api-0', 1)
    next.close()
    const later = openStore(left, { readOnly: true })
    expect(later.table('instances').entries()).toEqual([['api-0', 1]])
    later.close()
  })

  it('read as empty where no supervisor has ever been, and nothing is made', () => {
    const folder = testFolder()
    const store = openStore(folder, { readOnly: true })
    expect(store.table('t').entries()).toEqual([])
    expect(store.log('l').last()).toBe(0)
    expect(() => store.table('t').set('a', 1)).toThrow(expect.objectContaining({ errno: 'EROFS' }))
    store.close()
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('logs', () => {
  it('read what was appended, written or not, the newest when limited', () => {
    const store = openStore(testFolder())
    const log = store.log('events')
    for (const seq of [1, 2, 3]) log.append(seq, seq * 10, { seq })
    log.flush()
    for (const seq of [4, 5]) log.append(seq, seq * 10, { seq })
    store.log('other').append(99, 1, 'x')
    const seqs = (options: Parameters<typeof log.read>[0]) => log.read(options).map(({ seq }) => seq)
    expect(seqs({})).toEqual([1, 2, 3, 4, 5])
    expect(seqs({ after: 3 })).toEqual([4, 5])
    expect(seqs({ sinceMs: 20 })).toEqual([2, 3, 4, 5])
    expect(seqs({ limit: 2 })).toEqual([4, 5])
    expect(seqs({ after: 1, limit: 0 })).toEqual([])
    expect(log.read({ after: 4 })).toEqual([{ seq: 5, timeMs: 50, value: { seq: 5 } }])
    store.close()
  })

  it('remember the highest number, whatever was trimmed', () => {
    const folder = testFolder()
    const store = openStore(folder)
    const log = store.log('events')
    expect(log.last()).toBe(0)
    for (let seq = 1; seq <= 100; seq++) log.append(seq, seq, null)
    expect(log.last()).toBe(100)
    log.trim(3)
    expect(log.read({}).map(({ seq }) => seq)).toEqual([98, 99, 100])
    log.trim(0)
    store.close()
    const later = openStore(folder)
    expect(later.log('events').read({})).toEqual([])
    expect(later.log('events').last()).toBe(100)
    later.close()
  })

  it('reach the disk by themselves', async () => {
    const folder = testFolder()
    const store = openStore(folder)
    store.log('events').append(1, 1, 'seen')
    const reader = openStore(folder, { readOnly: true })
    await until(() => reader.log('events').read({}).length === 1)
    reader.close()
    store.close()
  })

  it('refuse a record that could never be written', () => {
    const store = openStore(testFolder())
    expect(() => store.log('l').append(1, NaN, 'x')).toThrow(RangeError)
    expect(() => store.log('l').append(1.5, 1, 'x')).toThrow(RangeError)
    store.close()
  })
})

describe('damage', () => {
  const warningsOf = () => {
    const warnings: string[] = []
    const trace = (level: string, message: string): void => {
      if (level === 'warn') warnings.push(message)
    }
    return { warnings, trace }
  }

  it.each(['state.db', 'history.db'])('sets an unreadable %s aside, says so and begins anew', (name) => {
    const folder = testFolder()
    const garbage = 'not a database at all. '.repeat(500)
    writeFileSync(join(folder, name), garbage)
    const { warnings, trace } = warningsOf()
    const store = openStore(folder, { trace })
    store.table('t').set('a', 1)
    expect(store.table('t').get('a')).toBe(1)
    store.close()
    const aside = readdirSync(folder).find((file) => file.startsWith(`${name}.corrupt-`))
    expect(readFileSync(join(folder, aside ?? ''), 'utf8')).toBe(garbage)
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain(aside)
  })

  it('finds damage inside a file that still opens', () => {
    const folder = testFolder()
    const store = openStore(folder)
    for (let key = 0; key < 500; key++) store.table('t').set(`key-${key}`, 'x'.repeat(100))
    store.close()
    const path = join(folder, 'state.db')
    const file = readFileSync(path)
    file.fill(0xff, 4096 * 3)
    writeFileSync(path, file)
    const { warnings, trace } = warningsOf()
    const later = openStore(folder, { trace })
    expect(later.table('t').entries()).toEqual([])
    expect(warnings).toHaveLength(1)
    later.close()
  })

  it('goes on when the history is damaged while it is open', () => {
    const folder = testFolder()
    const first = openStore(folder)
    for (let seq = 1; seq <= 2000; seq++) first.log('l').append(seq, seq, 'x'.repeat(100))
    first.close()
    const path = join(folder, 'history.db')
    const { warnings, trace } = warningsOf()
    const store = openStore(folder, { trace })
    const file = readFileSync(path)
    file.fill(0xff, 4096 * 2)
    writeFileSync(path, file)
    expect(store.log('l').read({})).toEqual([])
    store.log('l').append(3000, 1, 'after')
    expect(
      store
        .log('l')
        .read({})
        .map(({ value }) => value),
    ).toEqual(['after'])
    expect(warnings).toHaveLength(1)
    store.close()
  })

  it('leaves a damaged file alone when only reading', () => {
    const folder = testFolder()
    writeFileSync(join(folder, 'state.db'), 'garbage '.repeat(1000))
    const { warnings, trace } = warningsOf()
    const store = openStore(folder, { readOnly: true, trace })
    expect(store.table('t').entries()).toEqual([])
    store.close()
    expect(readdirSync(folder)).toEqual(['state.db'])
    expect(warnings).toHaveLength(1)
  })

  it('refuses what a newer systemg has written, and changes nothing', () => {
    const folder = testFolder()
    openStore(folder).close()
    const path = join(folder, 'state.db')
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version = 7')
    database.close()
    const before = readFileSync(path)
    expect(() => openStore(folder)).toThrow(
      expect.objectContaining({ code: 'SYSG_STATE_NEWER', message: expect.stringMatching(/format 7/) as string }),
    )
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

describe('the lock', () => {
  /** Another process that tries to take the lock, says what came of it, and then lives until its stdin ends. */
  const contender = (folder: string) => {
    const program = join(import.meta.dirname, 'takes-the-lock.ts')
    const args = ['--conditions=systemg-source', '--disable-warning=ExperimentalWarning', program, folder]
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const said = once(child.stdout, 'data').then(([data]) => String(data).trim())
    return { child, said }
  }

  it('goes to one of many processes that try at once', async () => {
    const folder = testFolder()
    const all = Array.from({ length: 8 }, () => contender(folder))
    const answers = await Promise.all(all.map(({ said }) => said))
    expect(answers.filter((answer) => answer === 'taken')).toHaveLength(1)
    expect(acquireLock(folder)).toBeUndefined()
    for (const { child } of all) child.kill('SIGKILL')
  })

  it('is free again when its holder was killed', async () => {
    const folder = testFolder()
    const { child, said } = contender(folder)
    expect(await said).toBe('taken')
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = acquireLock(folder)
    expect(lock).toBeDefined()
    expect(await contender(folder).said).toBe('refused')
    expect(acquireLock(folder)).toBeUndefined()
    expect(await contender(folder).said).toBe('refused')
    lock?.release()
    const next = contender(folder)
    expect(await next.said).toBe('taken')
    next.child.kill('SIGKILL')
    expect(statSync(join(folder, 'lock.db')).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['lock.db'])
  })

  it('is not touched by the store beside it', async () => {
    const folder = testFolder()
    const lock = acquireLock(folder)
    const store = openStore(folder)
    store.table('t').set('a', 1)
    store.close()
    expect(await contender(folder).said).toBe('refused')
    lock?.release()
  })

  it('says why it can’t be taken', () => {
    const folder = testFolder()
    writeFileSync(join(folder, 'file'), '')
    chmodSync(join(folder, 'file'), 0o600)
    expect(() => acquireLock(join(folder, 'file/state'))).toThrow(expect.objectContaining({ name: 'HostError' }))
  })
})
