/** Addresses of listening sockets: as users write them, in one form, and whether two of them are in each other's way. */

export type Address =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly text: string }
  | { readonly kind: 'unix'; readonly path: string; readonly text: string }

/** Why a text is no address: completes "must be …", and what helps. */
export interface AddressMistake {
  readonly expected: string
  readonly hint?: string
}

/** What the kernel takes for a path, without the zero byte behind it. */
const longestPathBytes = 107

/**
 * Read `tcp://host:port` or `unix:///path`. `text` of the result is the one form of it: hosts are numeric, `localhost` is
 * `127.0.0.1`, IPv6 is as short as it can be, paths have no `.` and `..`.
 */
export const parseAddress = (written: string): Address | AddressMistake => {
  if (written.startsWith('tcp://')) return parseTcp(written.slice('tcp://'.length))
  if (written.startsWith('unix:')) return parseUnix(written.slice('unix:'.length))
  return { expected: forms, ...suggestionFor(written) }
}

export const isMistake = (parsed: Address | AddressMistake): parsed is AddressMistake => 'expected' in parsed

/** Whether both cannot be bound at once: `0.0.0.0` covers every IPv4 address, `[::]` those of IPv6, too. */
export const meet = (one: Address, other: Address): boolean => {
  if (one.kind === 'unix' || other.kind === 'unix') return one.text === other.text
  if (one.port !== other.port) return false
  return one.host === other.host || covers(one.host, other.host) || covers(other.host, one.host)
}

const forms = '`tcp://host:port` or `unix:///path`'

const covers = (any: string, host: string): boolean => any === '[::]' || (any === '0.0.0.0' && !host.startsWith('['))

const parseTcp = (rest: string): Address | AddressMistake => {
  const [, written, port] = /^(\[[^\]]*\]|[^:/]*):(\d+)\/?$/.exec(rest) ?? []
  if (written === undefined || port === undefined) {
    const isBareIpv6 = /^[0-9a-f]*:[0-9a-f:]+$/i.test(rest)
    const hint = isBareIpv6 ? { hint: 'An IPv6 address stands in brackets: `tcp://[::1]:8080`.' } : {}
    return { expected: '`tcp://host:port`', ...hint }
  }
  const number = Number(port)
  if (number === 0)
    return {
      expected: 'an address with a port of its own',
      hint: 'Port 0 is another one each time: nobody could connect.',
    }
  if (number > 65_535) return { expected: 'an address with a port up to 65535' }
  const host = hostOf(written)
  return typeof host === 'object' ? host : { kind: 'tcp', host, port: number, text: `tcp://${host}:${number}` }
}

const hostOf = (written: string): string | AddressMistake => {
  if (written === 'localhost') return '127.0.0.1'
  if (written.startsWith('[')) return ipv6Of(written)
  if (isIpv4(written)) return written
  const hint =
    written === '' || written === '*'
      ? 'All addresses are `0.0.0.0`, or `[::]` for IPv6 and IPv4.'
      : 'Names can stand for several addresses and change: write the address, `0.0.0.0` or `[::]` for all of them.'
  return { expected: 'an address with a numeric host', hint }
}

const isIpv4 = (host: string): boolean =>
  /^\d+(\.\d+){3}$/.test(host) && host.split('.').every((part) => String(Number(part)) === part && Number(part) < 256)

const ipv6Of = (written: string): string | AddressMistake => {
  try {
    const { hostname } = new URL(`http://${written}`)
    if (!hostname.startsWith('[::ffff:')) return hostname
    return { expected: 'an address of IPv6 or of IPv4', hint: 'Write an IPv4 address without brackets and `::ffff:`.' }
  } catch {
    const hint = written.includes('%')
      ? { hint: 'Addresses of one network interface (`%eth0`) are not supported.' }
      : {}
    return { expected: 'an IPv6 address in the brackets', ...hint }
  }
}

const parseUnix = (rest: string): Address | AddressMistake => {
  const path = rest.replace(/^\/\//, '')
  if (!rest.startsWith('///') || path.includes('\0'))
    return { expected: '`unix:///path` (with three slashes: the path is absolute)' }
  if (path.endsWith('/')) return { expected: 'the path of a file', hint: 'Name the socket itself, not its folder.' }
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  const plain = `/${parts.join('/')}`
  const bytes = new TextEncoder().encode(plain).length
  if (parts.length === 0) return { expected: 'the path of a file' }
  if (bytes > longestPathBytes)
    return {
      expected: `a path of at most ${longestPathBytes} bytes, which is all the kernel takes`,
      hint: `It has ${bytes}.`,
    }
  return { kind: 'unix', path: plain, text: `unix://${plain}` }
}

/** What was probably meant. */
const suggestionFor = (written: string): { hint?: string } => {
  const bare = written.replace(/^[a-z]+:\/\//, '').replace(/\/$/, '')
  if (/^\d+$/.test(bare)) return { hint: `Did you mean \`tcp://127.0.0.1:${bare}\`?` }
  if (/^:\d+$/.test(bare)) return { hint: `Did you mean \`tcp://0.0.0.0${bare}\`?` }
  if (/^[^/]+:\d+$/.test(bare)) return { hint: `Did you mean \`tcp://${bare}\`?` }
  return written.startsWith('/') ? { hint: `Did you mean \`unix://${written}\`?` } : {}
}
