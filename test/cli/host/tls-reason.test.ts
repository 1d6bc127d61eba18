import { expect, it } from 'vitest'
import { tlsReason } from '../../../cli/src/host/tls-reason.ts'

it.each([
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'self-signed certificate; if the root CA is installed locally, try running Node.js with --use-system-ca',
    'TLS: self-signed certificate',
  ],
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    '40936BF56B7F0000:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/x.c:78:\n',
    'the answer is not TLS, as of a server for http',
  ],
  [
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    '40432D838F7F0000:error:0A00042E:SSL routines:ssl3_read_bytes:tlsv1 alert protocol version:../deps/openssl/x.c:912:SSL alert number 70\n',
    'TLS: tlsv1 alert protocol version',
  ],
  ['CERT_HAS_EXPIRED', 'certificate has expired', 'TLS: certificate has expired'],
])('%s is told in plain words', (code, message, reason) => {
  expect(tlsReason(code, message)).toBe(reason)
})
