/** `Host.output`: named pipes. */
import { bytesOf, same, type Part } from './session.ts'

export const outputContract: Part = (check, expect) => {
  for (const [what, text] of Object.entries({
    'a line': 'hello\n',
    'text without a newline': 'no newline at the end',
    'text in many scripts': 'grüße 世界 🚀\r\n\t\u0001',
    'more than a pipe holds': 'abcdefghij'.repeat(10_000),
  })) {
    check(`delivers ${what} byte for byte`, async (session) => {
      const output = await session.open('out.fifo')
      const argv = session.at.programs.prints(text, 'stdout')
      const { exited } = await session.spawn(argv, { stdout: output.pipe.writer })
      await session.wait(exited)
      await session.wait(output.pipe.drain())
      expect(output.text().slice(0, 80)).toBe(text.slice(0, 80))
      expect(same(output.bytes(), bytesOf(text))).toBe(true)
    })
  }

  check('delivers without being asked', async (session) => {
    const output = await session.open('out.fifo')
    await session.spawn(session.at.programs.prints('by itself', 'stdout'), { stdout: output.pipe.writer })
    await session.at.until(() => output.text() === 'by itself')
  })

  check('keeps the streams of a process apart', async (session) => {
    const [out, err] = [await session.open('out.fifo'), await session.open('err.fifo')]
    const streams = { stdout: out.pipe.writer, stderr: err.pipe.writer }
    await session.spawn(session.at.programs.prints('to out', 'stdout'), streams)
    await session.spawn(session.at.programs.prints('to err', 'stderr'), streams)
    await session.at.until(() => out.text() !== '' && err.text() !== '')
    expect([out.text(), err.text()]).toEqual(['to out', 'to err'])
  })

  check('carries one process after the other', async (session) => {
    const output = await session.open('out.fifo')
    for (const text of ['one ', 'two ', 'three']) {
      const { exited } = await session.spawn(session.at.programs.prints(text, 'stdout'), {
        stdout: output.pipe.writer,
      })
      await session.wait(exited)
      await session.wait(output.pipe.drain())
    }
    expect(output.text()).toBe('one two three')
  })

  check('leaves everything in the pipe while it is paused', async (session) => {
    const output = await session.open('out.fifo')
    output.pipe.pause()
    const argv = session.at.programs.prints('later', 'stdout')
    const { exited } = await session.spawn(argv, { stdout: output.pipe.writer })
    await session.wait(exited)
    await session.at.pass(50)
    expect(output.text()).toBe('')
    output.pipe.resume()
    await session.at.until(() => output.text() === 'later')
  })

  check('keeps what nobody has read for the next supervisor', async (session) => {
    const before = await session.open('out.fifo')
    before.pipe.pause()
    await session.spawn(session.at.programs.sleeps(), { stdout: before.pipe.writer })
    await session.reopen()
    const after = await session.open('out.fifo')
    await session.at.until(() => after.text() === 'ready\n')
    expect(before.text()).toBe('')
  })

  check('has nothing to drain from a pipe nobody has written', async (session) => {
    const output = await session.open('out.fifo')
    await session.wait(output.pipe.drain())
    expect(output.bytes().length).toBe(0)
    expect(output.pipe.writer.kind).toBe('fifo')
  })
}
