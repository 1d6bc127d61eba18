/** Makes named pipes. Node has no call for it, so one `mkfifo` makes all that are asked for in the same turn. */
import { lstatSync } from 'node:fs'
import { HostError } from '@systemg/core'
import { childProcess } from '../builtin.ts'
import { errnoOf } from './host-error.ts'

interface Wanted {
  readonly path: string
  readonly resolve: () => void
  readonly reject: (error: HostError) => void
}

/** Paths for one command; far below the kernel's limit for arguments. */
const mostAtOnce = 500

let wanted: Wanted[] = []

/** Make a named pipe (0600) where there is nothing. @throws {HostError} When `mkfifo` could not. */
export const makeFifo = (path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    if (wanted.length === 0) setImmediate(makeAll)
    wanted.push({ path, resolve, reject })
  })

const makeAll = (): void => {
  const all = wanted
  wanted = []
  for (let at = 0; at < all.length; at += mostAtOnce) makeSome(all.slice(at, at + mostAtOnce))
}

const makeSome = (some: readonly Wanted[]): void => {
  const finish = (error: Error | null, stderr: string): void => {
    if (error === null) for (const { resolve } of some) resolve()
    else if (some.length > 1) for (const one of some) makeSome([one])
    else for (const one of some) settle(one, error, stderr.trim())
  }
  // Without this process's own mark: were it a service's, stopping that service would end the command.
  const env = { ...process.env, SYSG_TOKEN: undefined }
  try {
    const paths = some.map(({ path }) => path)
    childProcess().execFile('mkfifo', ['-m', '600', '--', ...paths], { env }, (error, _stdout, stderr) =>
      finish(error, stderr),
    )
  } catch (thrown) {
    finish(thrown as Error, '')
  }
}

/** Somebody else may have made the same pipe in the meantime. */
const settle = ({ path, resolve, reject }: Wanted, error: Error, stderr: string): void => {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFIFO() === true) resolve()
  else reject(new HostError(errnoOf(error), `make the pipe ${path}: ${stderr === '' ? error.message : stderr}`))
}
