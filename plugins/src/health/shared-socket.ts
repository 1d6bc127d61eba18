/** Whether a check asks at a socket that all instances of the service share: from there a candidate serves, too. Pure. */
import type { ConfigIssue, ResolvedService } from '@systemg/core'
import { deploymentOf } from './checks.ts'
import type { HealthCheck } from './options.ts'
import { tcpAddressOf } from './probes/tcp.ts'
import { withExamples } from './placeholders.ts'

/** What the `sockets` plugin may have: addresses in their one form, `tcp://127.0.0.1:80`. */
interface WithSockets {
  readonly sockets?: readonly { readonly listen: string }[]
}

/** Of a `rolling` service that is asked by `url` or `tcp` at one of its own sockets. */
export const askedOnSharedSocket = (service: ResolvedService): readonly ConfigIssue[] => {
  const found = candidateCheck(service)
  if (found === undefined || deploymentOf(service)?.strategy !== 'rolling') return []
  const { check, path } = found
  const asked = addressAsked(check)
  const shared = (service as WithSockets).sockets?.find(({ listen }) => asked !== undefined && leadsTo(asked, listen))
  if (shared === undefined) return []
  return [
    {
      code: 'SYSG_HEALTH_SHARED_SOCKET',
      severity: 'warning',
      path: ['services', service.name, ...path, check.probe],
      message: `\`${service.name}\` is asked on the socket that its instances share (${shared.listen}): while it is not ready yet, a new one ${harm(check)}`,
      hint: 'Let it accept only when it can serve, and say so: `health_check: { notify: true }`. Or ask on an address of its own.',
    },
  ]
}

const harm = ({ probe }: HealthCheck): string =>
  probe === 'url' ? 'that answers 500 does so to users, too' : 'that accepts serves users already'

/** What a candidate is judged by, and where that is written. */
const candidateCheck = (
  service: ResolvedService,
): { readonly check: HealthCheck; readonly path: readonly string[] } | undefined => {
  const deployment = deploymentOf(service)
  const ofCandidate = deployment?.blue_green?.candidate_health_check
  if (ofCandidate !== undefined)
    return { check: ofCandidate, path: ['deployment', 'blue_green', 'candidate_health_check'] }
  if (service.health_check !== undefined) return { check: service.health_check, path: ['health_check'] }
  if (deployment?.health_check === undefined) return undefined
  return { check: deployment.health_check, path: ['deployment', 'health_check'] }
}

type Asked = { readonly host: string; readonly port: number } | { readonly path: string }

const addressAsked = ({ probe, options }: HealthCheck): Asked | undefined => {
  if (probe === 'tcp') return tcpAddressOf(withExamples(String(options)))
  if (probe !== 'url') return undefined
  const { protocol, hostname, port } = new URL(withExamples((options as { readonly url: string }).url))
  if (protocol === 'http+unix:') return { path: decodeURIComponent(hostname) }
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || (protocol === 'https:' ? 443 : 80)) }
}

/** Whether who asks there comes to this socket. A name other than `localhost` may be anything. */
const leadsTo = (asked: Asked, listen: string): boolean => {
  if ('path' in asked) return listen === `unix://${asked.path}`
  const [, host = '', port] = /^tcp:\/\/\[?(.+?)\]?:(\d+)$/.exec(listen) ?? []
  if (Number(port) !== asked.port) return false
  if (host === asked.host) return true
  if (asked.host === 'localhost') return host === '127.0.0.1' || host === '::1' || isAny(host)
  return isAny(host) && isNumeric(asked.host)
}

const isAny = (host: string): boolean => host === '0.0.0.0' || host === '::'

const isNumeric = (host: string): boolean => /^[\d.]+$|:/.test(host)
