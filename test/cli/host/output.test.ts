import { createHash, randomBytes } from 'node:crypto'
import { constants, closeSync, lstatSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '@systemg/core'
import { expect, it } from 'vitest'
import { testHost, until, type TestHost } from './node-host-for-tests.ts'

/** An output whose bytes are kept. */
const collecting = async ({ host, folder }: TestHost, name = 'api.stdout') => {
  const chunks: Buffer[] = []
  const path = join(folder, 'run', name)
  const pipe = await host.output(path, (chunk) => void chunks.push(Buffer.from(chunk)))
  return { pipe, path, bytes: () => Buffer.concat(chunks) }
}

const sha = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

it('delivers a megabyte of any bytes as it was written', async () => {
  await using test = testHost()
  const { pipe, bytes } = await collecting(test)
  const data = randomBytes(2 ** 20 + 1)
  writeFileSync(join(test.folder, 'data'), data)
  const { exited } = await test.start(['cat', 'data'], { stdout: pipe.writer })
  expect(await exited).toEqual({ code: 0, signal: null })
  await pipe.drain()
  expect(sha(bytes())).toBe(sha(data))
  await pipe.close()
})

it('has everything after drain, at once and in order, whoever read it', async () => {
  await using test = testHost()
  const { pipe, bytes } = await collecting(test)
  const data = randomBytes(300_000)
  writeFileSync(join(test.folder, 'data'), data)
  // Small writes at the speed of the writer, so that socket and drain take turns.
  const { exited } = await test.start(['dd', 'if=data', 'bs=500', 'status=none'], { stdout: pipe.writer })
  const writer = { hasEnded: false }
  void exited.then(() => (writer.hasEnded = true))
  while (!writer.hasEnded) {
    await pipe.drain()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await pipe.drain()
  expect(sha(bytes())).toBe(sha(data))
  await pipe.close()
})

it('returns from drain although somebody goes on writing', async () => {
  await using test = testHost()
  const { pipe, bytes } = await collecting(test)
  await test.start(['yes'], { stdout: pipe.writer })
  await until(() => bytes().length > 0)
  await pipe.drain()
  expect(bytes().subarray(0, 4).toString()).toBe('y\ny\n')
  await pipe.close()
})

it('leaves bytes in the pipe while paused', async () => {
  await using test = testHost()
  const { pipe, bytes } = await collecting(test)
  pipe.pause()
  const { exited } = await test.start(['echo', 'later'], { stdout: pipe.writer })
  await exited
  await new Promise((resolve) => setImmediate(resolve))
  expect(bytes().length).toBe(0)
  pipe.resume()
  await until(() => bytes().length > 0)
  expect(bytes().toString()).toBe('later\n')
  await pipe.close()
})

it('gives the next host what a service wrote while nobody read', async () => {
  await using test = testHost()
  const first = await collecting(test)
  const script = 'mkfifo go; echo >made; read -r go <go; echo last words; echo >done; exec sleep 1000'
  await test.start(['sh', '-c', script], { stdout: first.pipe.writer })
  await until(async () => (await test.host.files.size(join(test.folder, 'made'))) !== undefined)
  await first.pipe.close()
  writeFileSync(join(test.folder, 'go'), '\n')
  await until(async () => (await test.host.files.size(join(test.folder, 'done'))) !== undefined)
  const second = await collecting(test)
  await second.pipe.drain()
  expect(second.bytes().toString()).toBe('last words\n')
  expect(first.bytes().length).toBe(0)
  await second.pipe.close()
})

it('goes on reading when one instance ends and the next begins', async () => {
  await using test = testHost()
  const { pipe, bytes } = await collecting(test)
  for (const word of ['one', 'two', 'three']) {
    const { exited } = await test.start(['echo', word], { stdout: pipe.writer, stderr: pipe.writer })
    await exited
    await pipe.drain()
  }
  expect(bytes().toString()).toBe('one\ntwo\nthree\n')
  await pipe.close()
})

it('makes private pipes, many at once, with any name', async () => {
  await using test = testHost()
  const names = ['a b', "it's", '-m', 'ünï', ...Array.from({ length: 50 }, (_, index) => `service.${index}.stdout`)]
  const outputs = await Promise.all(names.map((name) => collecting(test, name)))
  for (const { path, pipe } of outputs) {
    expect(lstatSync(path).isFIFO()).toBe(true)
    expect(lstatSync(path).mode & 0o777).toBe(0o600)
    await pipe.close()
  }
})

it('replaces what is no pipe, and does not follow a link', async () => {
  await using test = testHost()
  const target = join(test.folder, 'precious')
  writeFileSync(target, 'kept')
  await (await collecting(test)).pipe.close()
  writeFileSync(join(test.folder, 'run/file'), 'old')
  symlinkSync(target, join(test.folder, 'run/link'))
  for (const name of ['file', 'link']) {
    const { pipe, path } = await collecting(test, name)
    expect(lstatSync(path).isFIFO()).toBe(true)
    await pipe.close()
  }
  expect(await test.host.files.readText(target)).toBe('kept')
})

it('moves what is written to files, in whatever parts, byte for byte', async () => {
  await using test = testHost()
  const files = [0, 1].map((n) => test.host.files.append(join(test.folder, `part${n}`)))
  const parts: Buffer[] = []
  let turn = 0
  const pipe = await test.host.output(join(test.folder, 'run', 'x'), (chunk) => {
    // A part that nobody writes, between two that are written, and one at the end.
    const cuts = [0, 0.2, 0.3, 0.8, 1].map((share) => Math.floor(chunk.length * share))
    for (const [at, from] of cuts.slice(0, -1).entries()) {
      const part = chunk.subarray(from, cuts[at + 1])
      if (at === 1) continue
      parts.push(Buffer.from(part))
      files[turn++ % 2]?.write(part)
    }
  })
  writeFileSync(join(test.folder, 'data'), randomBytes(2 ** 20 + 1))
  await (
    await test.start(['cat', 'data'], { stdout: pipe.writer })
  ).exited
  await pipe.drain()
  for (const [n, file] of files.entries()) {
    const expected = Buffer.concat(parts.filter((_, at) => at % 2 === n))
    expect(sha(readFileSync(join(test.folder, `part${n}`)))).toBe(sha(expected))
    expect(file.size).toBe(expected.length)
    file.close()
  }
  await pipe.close()
})

it('delivers once what no disk takes', async () => {
  await using test = testHost()
  const full = test.host.files.append('/dev/full')
  const refused: string[] = []
  let seen = ''
  const pipe = await test.host.output(join(test.folder, 'run', 'x'), (chunk) => {
    seen += Buffer.from(chunk).toString()
    try {
      full.write(chunk)
    } catch (thrown) {
      refused.push(thrown instanceof HostError ? thrown.errno : String(thrown))
    }
  })
  for (const word of ['one', 'two']) {
    await (
      await test.start(['echo', word], { stdout: pipe.writer })
    ).exited
    await pipe.drain()
  }
  expect(seen).toBe('one\ntwo\n')
  expect(refused).toEqual(['ENOSPC', 'ENOSPC'])
  full.close()
  await pipe.close()
})

it('appends to a file that somebody else has emptied, at its new end', async () => {
  await using test = testHost()
  const path = join(test.folder, 'log')
  const file = test.host.files.append(path)
  const pipe = await test.host.output(join(test.folder, 'run', 'x'), (chunk) => file.write(chunk))
  for (const word of ['one', 'two']) {
    await (
      await test.start(['echo', word], { stdout: pipe.writer })
    ).exited
    await pipe.drain()
    expect(readFileSync(path, 'utf8')).toBe(`${word}\n`)
    writeFileSync(path, '')
  }
  file.close()
  await pipe.close()
})

it('says when a pipe can’t be made', async () => {
  await using test = testHost()
  writeFileSync(join(test.folder, 'run'), 'a file')
  await expect(collecting(test)).rejects.toMatchObject({ name: 'HostError' })
})

it('goes on after a reader that throws', async () => {
  await using test = testHost()
  let calls = 0
  const path = join(test.folder, 'run/x')
  const pipe = await test.host.output(path, () => {
    calls++
    throw new Error('broken plugin')
  })
  const fd = openSync(path, constants.O_WRONLY)
  for (const expected of [1, 2]) {
    writeSync(fd, 'x')
    await until(() => calls === expected)
  }
  closeSync(fd)
  expect(test.warnings).toHaveLength(2)
  await pipe.close()
})
