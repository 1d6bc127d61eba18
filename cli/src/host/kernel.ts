/** What the kernel says about this machine and this boot. Each is read once. */
import { readFileSync } from 'node:fs'
import { endianness } from 'node:os'

/** Entries of the auxiliary vector, from getauxval(3). */
const pageSizeEntry = 6
const ticksEntry = 17

let knownBootId: string | undefined
let knownUnits: { pageBytes: number; tickMs: number } | undefined

/** Identifies this boot; a pid and a start time mean nothing without it. */
export const bootId = (): string => (knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())

/** The units `/proc/<pid>/stat` counts memory and CPU time in. */
export const units = (): { readonly pageBytes: number; readonly tickMs: number } => (knownUnits ??= readUnits())

const readUnits = (): { pageBytes: number; tickMs: number } => {
  const vector = auxiliaryVector()
  return { pageBytes: vector.get(pageSizeEntry) ?? 4096, tickMs: 1000 / (vector.get(ticksEntry) ?? 100) }
}

/** Pairs of machine words: what, and its value. */
const auxiliaryVector = (): Map<number, number> => {
  const bytes = readFileSync('/proc/self/auxv')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const littleEndian = endianness() === 'LE'
  const wordBytes = ['arm', 'ia32', 'mipsel'].includes(process.arch) ? 4 : 8
  const word = (at: number): number =>
    wordBytes === 4 ? view.getUint32(at, littleEndian) : Number(view.getBigUint64(at, littleEndian))
  const entries = new Map<number, number>()
  for (let at = 0; at + 2 * wordBytes <= bytes.length; at += 2 * wordBytes) {
    entries.set(word(at), word(at + wordBytes))
  }
  return entries
}
