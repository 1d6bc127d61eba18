/** For commands that a program runs inside of a service: its environment says which supervisor, and whose word it is. */
import { Failure } from '../failures.ts'
import { projectPaths } from '../project/state-root.ts'
import { connect, type Supervisor } from './connect.ts'

const names = ['SYSG_TOKEN', 'SYSG_SOCKET', 'SYSG_PROJECT'] as const

/** @throws {Failure} `SYSG_…_OUTSIDE`, as asked for, with what the environment lacks; `SYSG_NO_SUPERVISOR`. */
export const connectInside = async (
  env: Readonly<Record<string, string | undefined>>,
  outside: 'SYSG_NOTIFY_OUTSIDE' | 'SYSG_SPAWN_OUTSIDE',
): Promise<{ readonly supervisor: Supervisor; readonly token: string }> => {
  const { SYSG_TOKEN: token, SYSG_SOCKET: socket, SYSG_PROJECT: project } = env
  if (token === undefined || socket === undefined || project === undefined)
    throw new Failure(outside, { missing: names.filter((name) => env[name] === undefined) })
  return { supervisor: await connect({ ...projectPaths('', project), socket }), token }
}
