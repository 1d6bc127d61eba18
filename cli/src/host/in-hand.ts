/**
 * The bytes of one pipe that are being delivered. They are in a buffer to be looked at and, where the kernel lets us, in
 * the pipe still: whoever writes them to a file moves them out of it (`writeInHand`), so that no kill loses them.
 *
 *   pipe ──tee──► glass ──read──► buffer ──► delivered ──► written to a file: moved there from the pipe
 *                                                      └─► not written: taken out of the pipe at the end
 *
 * One for all pipes: a chunk is delivered before the next one is read.
 */
import { readSync, writeSync } from 'node:fs'
import { errnoOf } from './host-error.ts'
import { kernelPipes, type KernelPipes } from './kernel-pipes.ts'

/** As much as is delivered at once. */
const mostInHand = 256 * 1024

const buffer = Buffer.allocUnsafeSlow(mostInHand)

let pipe = -1
/** Of the buffer: from here on, up to `end`, nobody has written it to a file. */
let start = 0
let end = 0
/** Bytes that were dealt with and are still in the pipe. */
let left = 0

let bin: Buffer | undefined

/** Deliver what a pipe holds, or what of it fits. Returns how many bytes there were. What `onChunk` throws comes out. */
export const deliver = (fd: number, onChunk: (chunk: Buffer) => void): number => {
  const looked = look(fd)
  const bytes = looked > 0 ? looked : read(fd, buffer)
  if (bytes === 0) return 0
  ;[pipe, start, end, left] = [looked > 0 ? fd : -1, 0, bytes, 0]
  try {
    onChunk(buffer.subarray(0, bytes))
  } finally {
    if (pipe !== -1) discard(left + end - start)
    pipe = -1
  }
  return bytes
}

/**
 * Write the next bytes in hand to the end of a file.
 *
 * @param file - Not open for appending.
 * @throws What `writeSync` does; a part may have been written then.
 */
export const writeInHand = (chunk: Uint8Array, file: number): void => {
  start += chunk.length
  if (left > 0) discard(left)
  let done = 0
  while (done < chunk.length) {
    const moved = kernelPipes()?.moveToEnd(pipe, file, chunk.length - done) ?? 0
    if (moved === 0) break
    done += moved
  }
  left = chunk.length - done
  // Where the kernel would not: this says why, or it can be done this way.
  while (done < chunk.length) done += writeSync(file, chunk, done)
}

/** Whether these are the next bytes in hand, and still in their pipe. */
export const isInHand = (chunk: Uint8Array): boolean =>
  pipe !== -1 &&
  chunk.buffer === buffer.buffer &&
  chunk.byteOffset === buffer.byteOffset + start &&
  chunk.length <= end - start

let glass: ReturnType<KernelPipes['open']> | undefined

/** Bytes of a pipe that are in the buffer now and in the pipe still; 0 when it is empty, or cannot be looked into. */
const look = (fd: number): number => {
  const kernel = kernelPipes()
  if (kernel === undefined) return 0
  glass ??= openGlass(kernel)
  const bytes = kernel.tee(fd, glass.writer, mostInHand)
  for (let done = 0; done < bytes;) done += readSync(glass.reader, buffer, done, bytes - done, null)
  return bytes
}

/** As large as the largest pipe that is looked into; a smaller one shows less at once. */
const openGlass = (kernel: KernelPipes): ReturnType<KernelPipes['open']> => {
  const opened = kernel.open()
  kernel.enlarge(opened.writer, mostInHand)
  return opened
}

const discard = (bytes: number): void => {
  bin ??= Buffer.allocUnsafeSlow(64 * 1024)
  for (let rest = bytes; rest > 0;) {
    const some = read(pipe, bin.subarray(0, Math.min(rest, bin.length)))
    if (some === 0) break
    rest -= some
  }
  left = 0
}

/** Bytes that were read; 0 when the pipe is empty. */
const read = (fd: number, into: Buffer): number => {
  for (;;) {
    try {
      return readSync(fd, into, 0, into.length, null)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EINTR') return 0
    }
  }
}
