/** What cannot work with `sockets`, or not as one might think. */
import type { ConfigIssue, ResolvedService, ResolvedSystem } from '@systemg/core'
import { isMistake, meet, parseAddress, type Address } from './address.ts'

export const checkSockets = (config: ResolvedSystem): readonly ConfigIssue[] => [
  ...sharedAddresses(config),
  ...Object.values(config.services)
    .filter(hasSockets)
    .flatMap((service) => [...withCron(service), ...behindShell(service)]),
]

const hasSockets = (service: ResolvedService): boolean => service.sockets.length > 0

interface Place {
  readonly service: string
  readonly path: readonly (string | number)[]
  readonly address: Address
}

/** Two sockets in each other's way, anywhere in the system. The later one is marked. */
const sharedAddresses = (config: ResolvedSystem): readonly ConfigIssue[] => {
  const places = Object.values(config.services).flatMap(placesOf)
  return places.flatMap((place, index): readonly ConfigIssue[] => {
    const other = places.slice(0, index).find(({ address }) => meet(address, place.address))
    if (other === undefined) return []
    return [
      {
        code: 'SYSG_SOCKETS_SHARED',
        path: place.path,
        message: `\`${place.address.text}\` of \`${place.service}\` and \`${other.address.text}\` of \`${other.service}\` cannot be open at once`,
        hint: hintFor(place, other),
      },
    ]
  })
}

const hintFor = (place: Place, other: Place): string => {
  const isAny = (address: Address) => address.kind === 'tcp' && address.host === '[::]'
  if (place.service === other.service && (isAny(place.address) || isAny(other.address)))
    return 'A socket on `[::]` takes IPv4, too: remove the other one.'
  return place.service === other.service
    ? 'List each address once. The replicas of a service share its sockets.'
    : 'An address leads to one service. Use `replicas` for several instances, or another address.'
}

const placesOf = (service: ResolvedService): readonly Place[] =>
  service.sockets.flatMap(({ listen }, index) => {
    const address = parseAddress(listen)
    const path = ['services', service.name, 'sockets', index]
    return isMistake(address) ? [] : [{ service: service.name, path, address }]
  })

/** `cron` belongs to another plugin, which may not be there. */
const withCron = (service: ResolvedService & { readonly cron?: unknown }): readonly ConfigIssue[] =>
  service.cron === undefined
    ? []
    : [
        {
          code: 'SYSG_SOCKETS_CRON',
          path: ['services', service.name, 'sockets'],
          message: `\`${service.name}\` has \`cron\` and \`sockets\`: between two runs nobody would answer`,
          hint: 'Let a service of its own have the sockets, and the schedule another one.',
        },
      ]

/** The shell is the process that `LISTEN_PID` names; a program that checks it finds that the sockets are not meant for it. */
const behindShell = ({ name, argv, command }: ResolvedService): readonly ConfigIssue[] => {
  const [program, option, script] = argv
  const isShell = program === '/bin/sh' && option === '-c' && script !== undefined
  if (!isShell || /(^|[\s;&|({])exec\s/.test(script)) return []
  return [
    {
      code: 'SYSG_SOCKETS_SHELL',
      severity: 'warning',
      path: ['services', name, 'command'],
      message: `\`${name}\` runs behind a shell (\`${command}\`), so \`LISTEN_PID\` is the shell's and not the server's`,
      hint: 'Put `exec` before the server, unless it does not look at `LISTEN_PID`.',
    },
  ]
}
