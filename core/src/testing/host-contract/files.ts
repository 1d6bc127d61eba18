/** `Host.files`. */
import { HostError } from '../../host.ts'
import { bytesOf, pattern, same, type Part, type Session, textOf } from './session.ts'

export const filesContract: Part = (check, expect) => {
  check('appends, also to a file that was there, and tells its size', async (session) => {
    await write(session, 'a.log', 'one ')
    const file = session.host.files.append(session.path('a.log'))
    expect(file.size).toBe(4)
    file.write(bytesOf('two '))
    file.write(new Uint8Array(0))
    file.write(bytesOf('grüße'))
    expect(file.size).toBe(15)
    file.close()
    expect(await session.wait(session.host.files.readText(session.path('a.log')))).toBe('one two grüße')
    expect(await session.wait(session.host.files.size(session.path('a.log')))).toBe(15)
  })

  check('makes the folders of a file that is opened for appending', async (session) => {
    await write(session, 'deep/er/name with. dots', 'x')
    expect(await session.wait(session.host.files.readText(session.path('deep/er/name with. dots')))).toBe('x')
  })

  check('keeps bytes as they are, and reads any range of them', async (session) => {
    const bytes = pattern(200_000)
    const file = session.host.files.append(session.path('binary'))
    file.write(bytes.subarray(0, 70_000))
    file.write(bytes.subarray(70_000))
    file.close()
    const read = (start: number, end: number) =>
      session.wait(session.host.files.read(session.path('binary'), start, end))
    expect(same(await read(0, 200_000), bytes)).toBe(true)
    expect(same(await read(65_530, 65_540), bytes.subarray(65_530, 65_540))).toBe(true)
    expect(same(await read(199_999, 300_000), bytes.subarray(199_999))).toBe(true)
    expect((await read(200_000, 200_001)).length).toBe(0)
    expect((await read(900_000, 900_001)).length).toBe(0)
    expect((await read(10, 10)).length).toBe(0)
  })

  check('keeps its own copy of what was written', async (session) => {
    const chunk = bytesOf('kept')
    const file = session.host.files.append(session.path('a'))
    file.write(chunk)
    chunk.fill(0)
    file.close()
    expect(await session.wait(session.host.files.readText(session.path('a')))).toBe('kept')
  })

  check('says of a file that is not there that it is not', async (session) => {
    const { files } = session.host
    expect(await session.wait(files.readText(session.path('none')))).toBe(undefined)
    expect(await session.wait(files.size(session.path('none')))).toBe(undefined)
    expect((await session.wait(files.read(session.path('none'), 0, 10))).length).toBe(0)
    expect(await session.wait(files.list(session.path('none')))).toEqual([])
  })

  check('fails with an errno name when a folder is read as a file', async (session) => {
    await write(session, 'folder/file', 'x')
    const thrown = await session.failure(() => session.host.files.readText(session.path('folder')))
    expect(thrown instanceof HostError && thrown.errno).toBe('EISDIR')
  })

  check('fails with an errno name when a file that is not there is renamed', async (session) => {
    const thrown = await session.failure(() => session.host.files.rename(session.path('none'), session.path('other')))
    expect(thrown instanceof HostError && thrown.errno).toBe('ENOENT')
  })

  check('renames over another file, and who has it open goes on writing to it', async (session) => {
    await write(session, 'a.log.1', 'oldest')
    const file = session.host.files.append(session.path('a.log'))
    file.write(bytesOf('before '))
    session.host.files.rename(session.path('a.log'), session.path('a.log.1'))
    file.write(bytesOf('after'))
    file.close()
    expect(await session.wait(session.host.files.readText(session.path('a.log.1')))).toBe('before after')
    expect(await session.wait(session.host.files.size(session.path('a.log')))).toBe(undefined)
  })

  check('removes a file', async (session) => {
    await write(session, 'a', 'x')
    session.host.files.remove(session.path('a'))
    expect(await session.wait(session.host.files.size(session.path('a')))).toBe(undefined)
  })

  check('removes a folder when nothing is in it, and leaves any other', async (session) => {
    await write(session, 'full/a', 'x')
    session.host.files.removeFolder(session.path('full'))
    session.host.files.removeFolder(session.path('none'))
    expect(await session.wait(session.host.files.list(session.path('full')))).toEqual(['a'])
    session.host.files.remove(session.path('full/a'))
    session.host.files.removeFolder(session.path('full'))
    expect((await session.wait(session.host.files.list(session.path('.')))).includes('full')).toBe(false)
  })

  check('lists the names in a folder, sorted', async (session) => {
    for (const name of ['b.log', 'a.log', 'B', 'ä', 'sub/c']) await write(session, `logs/${name}`, '')
    expect(await session.wait(session.host.files.list(session.path('logs')))).toEqual(
      ['b.log', 'a.log', 'B', 'ä', 'sub'].sort(),
    )
  })

  check('keeps a mark at the beginning and all line ends of a text', async (session) => {
    await write(session, 'a', '\uFEFFone\r\ntwo\u0000')
    expect(await session.wait(session.host.files.readText(session.path('a')))).toBe('\uFEFFone\r\ntwo\u0000')
    expect(textOf(await session.wait(session.host.files.read(session.path('a'), 0, 3)))).toBe('\uFEFF')
  })
}

const write = async (session: Session, name: string, text: string): Promise<void> => {
  const file = session.host.files.append(session.path(name))
  file.write(bytesOf(text))
  file.close()
}
