/** Why a socket can't be had, and what to do about it. */
import { HostError, SysgError, whyOf, type Processes } from '@systemg/core'
import type { Wanting } from './holdings.ts'

/** What `thrown`, of `listen`, means to people. */
export const bindFailure = async (
  address: string,
  thrown: unknown,
  { service, trees }: Wanting,
  processes: Processes,
): Promise<SysgError> => {
  const { errno, pids } = thrown instanceof HostError ? thrown : new HostError('EIO', whyOf(thrown))
  const options = { cause: thrown }
  const why = whyOf(thrown)
  switch (errno) {
    case 'EADDRINUSE': {
      const own = (await Promise.all(trees.map((tree) => processes.members(tree)))).flat()
      if (pids.some((pid) => own.some((member) => member.pid === pid))) return ownSocketLost(address, service, options)
      return SysgError.of(
        'SYSG_SOCKETS_TAKEN',
        {
          message: `\`${service}\` can't listen on ${address}: ${why}.`,
          hint: `End what has it (\`ss -ltnpx\` as root shows every one), or give \`${service}\` another address.`,
        },
        options,
      )
    }
    case 'EACCES':
    case 'EPERM':
      return SysgError.of(
        'SYSG_SOCKETS_DENIED',
        {
          message: `\`${service}\` may not listen on ${address}: ${why}.`,
          hint: address.startsWith('unix:') ? folderHint : lowPortHint,
        },
        options,
      )
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return SysgError.of(
        'SYSG_SOCKETS_ADDRESS',
        {
          message: `\`${service}\` can't listen on ${address}: this machine does not have the address.`,
          hint: '`ip address` lists those it has; `0.0.0.0` or `[::]` stands for all of them.',
        },
        options,
      )
    default:
      return SysgError.of(
        'SYSG_SOCKETS_FAILED',
        {
          message: `\`${service}\` can't listen on ${address}: ${why} (${errno}).`,
          hint: 'Check the address, and the folder of a unix socket.',
        },
        options,
      )
  }
}

const folderHint = 'The user of the supervisor needs to be able to write to the folder.'
const lowPortHint =
  'Ports below 1024 are for root: use a higher one, or allow them (`sysctl net.ipv4.ip_unprivileged_port_start=80`).'

/** The supervisor that bound it is gone, and what kept it open, too: an instance has it, and cannot hand it on. */
const ownSocketLost = (address: string, service: string, options: { cause: unknown }): SysgError =>
  SysgError.of(
    'SYSG_SOCKETS_LOST',
    {
      message: `${address} is open in the running \`${service}\` alone: the supervisor that bound it was killed together with its holder, so it can't be handed on.`,
      hint: `\`sysg stop -s ${service}\` and \`sysg start -s ${service}\` bind it anew; until then what runs goes on serving.`,
    },
    options,
  )
