/**
 * The kernel's tables of all sockets in this network namespace, and addresses as it writes them there: words of 32 bits
 * in the order of this machine.
 *
 * @see proc_net_tcp(5)
 */
import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'

export type SocketTable = 'tcp' | 'tcp6' | 'unix'

/** The text of a table; empty where there is none, such as that of IPv6 without IPv6. */
export const readSocketTable = (table: SocketTable): string => {
  try {
    return readFileSync(`/proc/net/${table}`, 'utf8')
  } catch {
    return ''
  }
}

/** The host that a word, or four, stand for; IPv6 in brackets. */
export const hostOf = (hex: string): string => {
  const bytes = inKernelOrder([...Buffer.from(hex, 'hex')])
  if (bytes.length === 4) return bytes.join('.')
  const groups = Array.from({ length: 8 }, (_, at) =>
    Buffer.from(bytes)
      .readUInt16BE(at * 2)
      .toString(16),
  )
  return new URL(`http://[${groups.join(':')}]`).hostname
}

/** An address of 4 or 16 bytes. */
export const hexOf = (bytes: readonly number[]): string =>
  Buffer.from(inKernelOrder(bytes)).toString('hex').toUpperCase()

export const hexPort = (port: number): string => port.toString(16).padStart(4, '0').toUpperCase()

/** Bytes of an address; those of IPv4 written as IPv6 (`::ffff:127.0.0.1`) are four. */
export const bytesOf = (address: string): readonly number[] => {
  const plain = address.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/i, '')
  if (!plain.includes(':')) return plain.split('.').map(Number)
  const [head = '', tail] = plain.split('::')
  const words = (text: string | undefined) =>
    text === undefined || text === '' ? [] : text.split(':').map((word) => parseInt(word, 16))
  const [before, after] = [words(head), words(tail)]
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return all.flatMap((word) => [word >> 8, word & 255])
}

/** The same in both directions. */
const inKernelOrder = (bytes: readonly number[]): readonly number[] => {
  if (endianness() !== 'LE') return bytes
  const words = Array.from({ length: bytes.length / 4 }, (_, at) => bytes.slice(at * 4, at * 4 + 4))
  return words.flatMap((word) => word.reverse())
}
