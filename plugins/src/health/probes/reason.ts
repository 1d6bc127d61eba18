/** What went wrong on the way to an answer, in the words of `status`. */
import { HostError, whyOf } from '@systemg/core'

const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed without an answer',
  EPIPE: 'the connection was closed without an answer',
  ETIMEDOUT: 'timeout: no connection',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'there is no host of this name',
  ENOENT: 'connection refused: the socket does not exist',
}

export const reasonOf = (thrown: unknown): string =>
  (thrown instanceof HostError ? words[thrown.errno] : undefined) ?? whyOf(thrown)
