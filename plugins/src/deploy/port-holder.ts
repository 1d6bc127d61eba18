/** Whose port it is that a program could not have: found in its last words, and in who listens there now. */
import type { Host, InstanceInfo, ProcessInfo, SystemApi } from '@systemg/core'

/** Ports that a program may have wanted in vain, likeliest first; empty when it did not complain about one. Pure. */
export const wantedPorts = (lines: readonly string[], env: Readonly<Record<string, string>>): readonly number[] => {
  const complaints = lines.filter((line) => complaint.test(line))
  if (complaints.length === 0) return []
  const named = [...complaints, ...lines].flatMap((line) =>
    [...line.matchAll(/(?:\bport\b\D{0,3}|[\w\]*:\s]:|', )(\d{1,5})\b/gi)].map(([, port]) => Number(port)),
  )
  const given = ['SYSG_SLOT', 'PORT'].map((name) =>
    Number(/^(?:.*:)?(\d{1,5})$/.exec(env[name] ?? '')?.[1] ?? Number.NaN),
  )
  return [...new Set([...named, ...given])].filter((port) => port > 0 && port < 65_536)
}

/** As C, Go, Java, Node, Python, Ruby and Rust say it, and nginx. */
const complaint =
  /EADDRINUSE|AddrInUse|address (?:is )?already in use|address in use|port (?:\S+ )?(?:is |was )?already (?:in use|allocated)/i

/** A line for people: who has the port. `undefined` when nobody listens on any of them. */
export const sayWhoHolds = async (
  ports: readonly number[],
  instance: InstanceInfo,
  { processes }: Pick<Host, 'processes'>,
  system: SystemApi,
): Promise<string | undefined> => {
  for (const port of ports) {
    const holders = await processes.listening(port)
    if (holders === undefined) continue
    const [holder] = holders
    if (holder === undefined) return `port ${port} is held by a process of another user`
    const owner = ownerOf(holder, system)
    const who = owner === undefined ? holder.command.slice(0, 60) : `${owner.id}, ${holder.command.slice(0, 60)}`
    const isOwn = owner?.service === instance.service.name && instance.role === 'candidate'
    const advice = isOwn ? '; both at once need `deployment.blue_green.slots` or `sockets`' : ''
    return `port ${port} is held by pid ${holder.pid} (${who})${advice}`
  }
  return undefined
}

const ownerOf = ({ pid, parentPid }: ProcessInfo, system: SystemApi) =>
  system
    .view()
    .flatMap(({ name, instances }) => instances.map(({ id, pid: of }) => ({ service: name, id, pid: of })))
    .find((instance) => instance.pid === pid || instance.pid === parentPid)
