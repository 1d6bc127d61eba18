/** As much of the Redis protocol (RESP) as a health check needs: commands of words, replies of one text. */
import type { Connection } from '@systemg/core'

/** Sends a command, and gives its reply. @throws {Error} with a reason for people when it is an error. */
export type Ask = (...words: readonly string[]) => Promise<string>

/** A client for one connection. Commands are sent one after the other. */
export const readReply = (connection: Connection): Ask => {
  const decoder = new TextDecoder()
  let text = ''
  let isClosed = false
  let wake = (): void => undefined
  connection.onData((chunk) => {
    text += decoder.decode(chunk, { stream: true })
    wake()
  })
  connection.onClose(() => {
    isClosed = true
    wake()
  })
  const next = async (): Promise<string> => {
    for (;;) {
      const reply = firstReply(text)
      if (reply !== undefined) {
        text = text.slice(reply.length)
        return reply.content
      }
      if (isClosed) throw new Error('it closed the connection')
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  return async (...words) => {
    await connection.write(new TextEncoder().encode(encode(words)))
    return next()
  }
}

const encode = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${new TextEncoder().encode(word).length}\r\n${word}\r\n`).join('')}`

const firstReply = (text: string): { content: string; length: number } | undefined => {
  const end = text.indexOf('\r\n')
  if (end === -1) return undefined
  const line = text.slice(1, end)
  if (text.startsWith('-')) throw new Error(reasonOf(line))
  if (!text.startsWith('$')) return { content: line, length: end + 2 }
  // What `INFO` answers is ASCII: as many characters as bytes.
  const length = end + 2 + Number(line) + 2
  return text.length < length ? undefined : { content: text.slice(end + 2, length - 2), length }
}

const reasonOf = (error: string): string => {
  const [code = ''] = error.split(' ')
  return reasons[code] ?? `it answered ${error}`
}

const reasons: Readonly<Record<string, string>> = {
  LOADING: 'it is loading its data',
  NOAUTH: 'it wants a password',
  WRONGPASS: 'wrong password',
  MASTERDOWN: 'it has no link to its master',
  BUSY: 'it is busy with a script',
}
