/** What is left of a unix socket when its program was killed: a file that nobody answers at. */
import { lstatSync, rmdirSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { HostError } from '@systemg/core'
import { attempt, errnoOf, hostError } from './host-error.ts'

/** @throws {HostError} `EADDRINUSE` when somebody answers, `ENOTSOCK` when something else is there. */
export const removeStale = async (path: string): Promise<void> => {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isSocket()) throw new HostError('ENOTSOCK', `${path} exists and is not a socket`)
  if (await answers(path)) throw new HostError('EADDRINUSE', `somebody listens on ${path}`)
  try {
    unlinkSync(path)
  } catch (thrown) {
    if (errnoOf(thrown) !== 'ENOENT') throw hostError(`remove ${path}`, thrown)
  }
}

/** Whatever is there and is no socket goes: for a folder that is ours alone. @throws {HostError} when it can't be removed. */
export const removeOther = (path: string): void => {
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || stats.isSocket()) return
  attempt(`remove ${path}`, () => (stats.isDirectory() ? rmdirSync(path) : unlinkSync(path)))
}

/** Only a refusal proves that nobody listens: a full backlog (`EAGAIN`) is an answer, too. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error) => resolve(!['ECONNREFUSED', 'ENOENT'].includes(errnoOf(error))))
  })
