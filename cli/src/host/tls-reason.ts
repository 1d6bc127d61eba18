/** Why TLS was not agreed on, in words for people: Node's have advice for its own callers, OpenSSL's have its source in them. */

/** @param code - Of the error. @param message - Of the error: Node's sentence, or `id:error:number:library:function:reason:file:line:`. */
export const tlsReason = (code: string, message: string): string => {
  if (/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/.test(code)) return 'the answer is not TLS, as of a server for http'
  const [, reason] = /:error:[^:]*:[^:]*:[^:]*:([^:]+):/.exec(message) ?? []
  return `TLS: ${reason ?? message.replace(/; .*/s, '')}`
}
