/** Signs what is sent, as GitHub does: whoever knows the secret can tell that it came from us, unchanged. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

/** `sha256=` and the HMAC of the body in hex. */
export const signatureOf = (body: string, secret: string): string =>
  `sha256=${bytesToHex(hmac(sha256, utf8ToBytes(secret), utf8ToBytes(body)))}`
