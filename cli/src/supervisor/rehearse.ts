/**
 * Has another version of the supervisor load everything it would run with, and end: what cannot even do that is met while the
 * old one still runs. A version that replaced this one's files could not be taken back.
 */
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { SysgError, whyOf } from '@systemg/core'
import { childProcess } from '../builtin.ts'
import { takenExitCode } from '../host/index.ts'
import { Tail } from '../host/tail.ts'
import type { ProjectPaths } from '../project/state-root.ts'
import { comebackRequest } from './comeback.ts'
import { lastLines, ownEnvironment } from './daemon.ts'

/** What the process of a supervisor is told to load everything, and to supervise nothing. */
export const rehearsal = 'rehearse'

const limitMs = 30_000
const keepBytes = 2_000

/** @throws {SysgError} `SYSG_UPGRADE_REFUSED`, with the last lines. */
export const rehearse = async (
  paths: ProjectPaths,
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
): Promise<void> => {
  const tail = new Tail(keepBytes)
  try {
    const request = openSync(comebackRequest(paths), 'r')
    try {
      const child = childProcess().spawn(program, [...args, rehearsal], {
        cwd: '/',
        env: ownEnvironment(process.env),
        stdio: [request, 'pipe', 'pipe'],
        signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
        killSignal: 'SIGKILL',
      })
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => tail.push(chunk))
      const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null]
      // An older version knows no rehearsal: it comes up as far as finding that the project has a supervisor.
      if (code === 0 || code === takenExitCode) return
      throw new Error(code === null ? `killed by ${killedBy ?? ''}` : `exit code ${code}`)
    } finally {
      closeSync(request)
    }
  } catch (thrown) {
    if (signal.aborted) throw signal.reason
    throw refused(program, whyOf(thrown), tail.toString())
  }
}

const refused = (program: string, why: string, output: string): SysgError => {
  const lines = lastLines(output)
  return SysgError.of('SYSG_UPGRADE_REFUSED', {
    message: `The other version of systemg can't come up (${program}: ${why})${lines === '' ? '.' : `:\n${lines}`}`,
    hint: 'Nothing was changed: the supervisor and all services go on. Install it again, or another version.',
  })
}
