/** A system whose programs notice what must not be: a copy too many, a line that is lost. */
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { commandOf, isAlive, Sandbox, until } from '../sysg.ts'

const program = join(import.meta.dirname, '../programs/counts.sh')

/** Services that are up when all is well. */
export const lasting = ['api', 'db', 'worker'] as const

const crashes = `  crashes: { command: "sh ${program} 1 12", restart_policy: always, backoff: 50ms, startup_grace: 100ms }
`

export class FaultWorld extends Sandbox {
  constructor() {
    super()
    for (const name of ['locks', 'written']) mkdirSync(join(this.folder, name))
  }

  /** A config of this version: another one replaces everything. */
  version(number: number, { crashing = true } = {}): void {
    this.config(`
logs: { max_bytes: 64K, max_files: 50 }
env: { vars: { VERSION: "${number}" } }
stop_timeout: 5s
services:
  setup: { command: "sleep 0.05; echo \\"$SYSG_INSTANCE.$$$$ 1 of version $VERSION\\"" }
  db: { command: "sh ${program} 1", restart_policy: always, backoff: 50ms, startup_grace: 100ms, depends_on: { setup: { condition: completed } } }
  api: { command: "sh ${program} 2", restart_policy: always, backoff: 50ms, startup_grace: 100ms, depends_on: [db], deployment: { strategy: rolling, grace_period: 100ms } }
  worker: { command: "sh ${program} 1", restart_policy: always, backoff: 50ms, startup_grace: 100ms, depends_on: [db] }
${crashing ? crashes : ''}`)
  }

  /** The supervisor, or the one that is about to become it; not its holder. */
  supervisors(): readonly number[] {
    return this.processes().filter((pid) => {
      const command = commandOf(pid)
      return command.includes('__supervise') && !command.includes('sysg-holder')
    })
  }

  /** Kill whatever supervises, also its holder if asked. Resolves when it is dead. */
  async killSupervisor(withHolder = false): Promise<void> {
    const supervisors = this.supervisors()
    // Nobody is to replace the holder in between.
    for (const pid of supervisors) send(pid, 'SIGSTOP')
    const victims = withHolder ? [...this.holders(), ...supervisors] : supervisors
    for (const pid of victims) send(pid, 'SIGKILL')
    await until(
      () => victims.filter(isAlive),
      (living) => living.length === 0,
    )
  }

  /** `sysg start -d`: what it says of services that should be up. Nothing, when all is well. */
  async startAll(): Promise<readonly string[]> {
    const { code, stdout, stderr } = await this.run('start', '-d', '--json')
    const { problems } = (stdout === '' ? {} : JSON.parse(stdout)) as {
      problems?: readonly { service: string; message: string }[]
    }
    if (problems === undefined) return [`exit code ${code ?? 'none'}: ${stderr}`]
    // One crashes all the time, also in the moment that is looked at.
    return problems.filter(({ service }) => service !== 'crashes').map(({ message }) => message)
  }

  /** How often a log file of `db` has been begun anew. */
  rotations(): number {
    try {
      return readdirSync(join(this.#project(), 'logs', 'db', '0')).filter((name) => name.startsWith('stdout.log'))
        .length
    } catch {
      return 0
    }
  }

  /** Instances whose program runs now, of one service: the leaders of their sessions. */
  copies(service: string): readonly number[] {
    return this.processes().filter((pid) => isProgramOf(pid, service))
  }

  /** Copies that were one too many. */
  get tooMany(): string {
    const path = join(this.folder, 'copies')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** What the databases say of themselves. The system must have been stopped. */
  integrity(): readonly string[] {
    return ['state.db', 'history.db'].map((name) => {
      const database = new DatabaseSync(join(this.#project(), name), { readOnly: true })
      try {
        return String(Object.values(database.prepare('PRAGMA integrity_check').get() ?? {})[0])
      } finally {
        database.close()
      }
    })
  }

  /** Lines that are missing, and what is worse: doubled, damaged or out of order. In words. */
  async badLines(): Promise<{ readonly missing: readonly string[]; readonly wrong: readonly string[] }> {
    const out = await this.sysg('logs', '--json', '-k', 'stdout', '-l', 'all')
    const last = new Map<string, number>()
    const missing: string[] = []
    const wrong: string[] = []
    for (const record of out.split('\n').filter((line) => line !== '')) {
      const { line = '' } = JSON.parse(record) as { line?: string }
      const [, instance, number] = /^(\S+) (\d+) of version \d+$/.exec(line) ?? []
      if (instance === undefined) wrong.push(`damaged: ${record}`)
      else {
        const before = last.get(instance) ?? 0
        const text = `${instance}: ${number ?? ''} after ${before}`
        if (Number(number) <= before) wrong.push(text)
        else if (Number(number) > before + 1) missing.push(text)
        last.set(instance, Number(number))
      }
    }
    for (const instance of readdirSync(join(this.folder, 'written'))) {
      const lines = readFileSync(join(this.folder, 'written', instance), 'utf8')
        .trim()
        .split('\n')
      const written = Number(lines.at(-1))
      const kept = last.get(instance) ?? 0
      if (kept < written) missing.push(`${instance}: ${written} written, ${kept} kept`)
    }
    return { missing, wrong }
  }

  #project(): string {
    const [project = ''] = readdirSync(this.home).filter((name) => name !== 'by-config')
    return join(this.home, project)
  }
}

const isProgramOf = (pid: number, service: string): boolean => {
  if (!commandOf(pid).includes(program)) return false
  try {
    const isLeader = Number(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/.*\) /s, '').split(' ')[3]) === pid
    return isLeader && readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`SYSG_SERVICE=${service}\0`)
  } catch {
    return false
  }
}

const send = (pid: number, signal: NodeJS.Signals): void => {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}
