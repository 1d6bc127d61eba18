/**
 * What the kernel can do with pipes and Node cannot: look at bytes without taking them, move them into a file in one step,
 * and make a pipe larger.
 *
 * A byte that was read is in this process alone, and lost when it is killed before it has written it. So bytes are looked
 * at (`tee`), and what a file is to have is moved (`splice`): it is in the pipe or in the file, never in between. Reached
 * by `node:ffi`, which Node has since 26.1; without it bytes are read and written, and a kill in just that moment costs
 * what was in hand, at most what the pipe holds.
 */
import { constants } from 'node:fs'
import { quietly } from '../quietly.ts'

/** @see tee(2), splice(2), lseek(2), fcntl(2), pipe2(2). Counts of bytes; 0 when it could not be done. */
export interface KernelPipes {
  /** Copy what is in a pipe into another one, and leave it there. */
  tee(from: number, to: number, bytes: number): number
  /** Move the next bytes of a pipe to the end of a file that is not open for appending. */
  moveToEnd(pipe: number, file: number, bytes: number): number
  /** Have a pipe hold more; `false` when that is not allowed. */
  enlarge(pipe: number, bytes: number): boolean
  /** A pipe of this process alone that nobody waits for. */
  open(): { readonly reader: number; readonly writer: number }
}

interface Ffi {
  dlopen(path: null, definitions: Readonly<Record<string, Signature>>): { readonly functions: Functions }
}

interface Signature {
  readonly arguments: readonly string[]
  readonly return: string
}

interface Functions {
  readonly tee: (from: number, to: number, bytes: bigint, flags: number) => bigint
  readonly splice: (from: number, fromAt: null, to: number, toAt: null, bytes: bigint, flags: number) => bigint
  readonly lseek: (file: number, offset: bigint, whence: number) => bigint
  readonly fcntl: (file: number, command: number, argument: number) => number
  readonly pipe2: (pair: Uint8Array, flags: number) => number
}

const signatures = {
  tee: { arguments: ['i32', 'i32', 'u64', 'u32'], return: 'i64' },
  splice: { arguments: ['i32', 'pointer', 'i32', 'pointer', 'u64', 'u32'], return: 'i64' },
  lseek: { arguments: ['i32', 'i64', 'i32'], return: 'i64' },
  fcntl: { arguments: ['i32', 'i32', 'i32'], return: 'i32' },
  pipe2: { arguments: ['buffer', 'i32'], return: 'i32' },
}

/** SPLICE_F_NONBLOCK. */
const nonBlocking = 2
const seekEnd = 2
const setPipeSize = 1031
const closeOnExec = 0o2000000

let known: KernelPipes | undefined | 'not looked for' = 'not looked for'

/** `undefined` on a Node that cannot call the kernel, and on machines where its numbers have another size. */
export const kernelPipes = (): KernelPipes | undefined => {
  if (known === 'not looked for') known = find()
  return known
}

const find = (): KernelPipes | undefined => {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return undefined
  try {
    const ffi = quietly(() => process.getBuiltinModule('node:ffi') as unknown as Ffi | undefined)
    return ffi && calling(ffi.dlopen(null, signatures).functions)
  } catch {
    return undefined
  }
}

const calling = ({ tee, splice, lseek, fcntl, pipe2 }: Functions): KernelPipes => ({
  tee: (from, to, bytes) => Math.max(0, Number(tee(from, to, BigInt(bytes), nonBlocking))),
  moveToEnd(pipe, file, bytes) {
    lseek(file, 0n, seekEnd)
    return Math.max(0, Number(splice(pipe, null, file, null, BigInt(bytes), nonBlocking)))
  },
  enlarge: (pipe, bytes) => fcntl(pipe, setPipeSize, bytes) >= bytes,
  open() {
    const pair = new Int32Array(2)
    if (pipe2(new Uint8Array(pair.buffer), constants.O_NONBLOCK | closeOnExec) !== 0) throw new Error('no pipe')
    const [reader = -1, writer = -1] = pair
    return { reader, writer }
  },
})
