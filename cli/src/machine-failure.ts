/** What the machine refused, as an error that says what would help. Imports nothing that costs a command time. */
import { Failure } from './failures.ts'

/** Of a `HostError`, or of what Node throws when a system call fails; undefined for anything else. */
export const machineFailure = (thrown: unknown): Failure | undefined => {
  if (!(thrown instanceof Error)) return undefined
  const { errno, code } = thrown as { errno?: unknown; code?: unknown }
  const name = thrown.name === 'HostError' ? errno : 'syscall' in thrown ? code : undefined
  if (typeof name !== 'string' || !/^E[A-Z0-9]+$/.test(name)) return undefined
  return new Failure('SYSG_MACHINE', { why: thrown.message.replace(/\.$/, ''), errno: name })
}
