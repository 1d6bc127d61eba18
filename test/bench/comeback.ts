/** How long after its SIGKILL a supervisor answers again, and knows all services, with one of them and with fifty. Run it on a machine that does nothing else. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { Sandbox, type Status } from '../e2e/sysg.ts'

const rounds = Number(process.argv[2] ?? 15)

const socketOf = (box: Sandbox): string => {
  const [project = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  const run = join(box.home, project, 'run')
  try {
    return readFileSync(join(run, 'socket-path'), 'utf8').trim()
  } catch {
    return join(run, 'control.sock')
  }
}

interface Answers {
  readonly pid: number
  /** When it answered at all, and when it knew all services. */
  readonly pingAt: number
  readonly statusAt: number
}

/** Who answers there; undefined when nobody does. */
const ask = async (path: string): Promise<Answers | undefined> => {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    const answers = createInterface(socket)[Symbol.asyncIterator]()
    const call = async <T>(method: string): Promise<T> => {
      socket.write(`{"jsonrpc":"2.0","id":1,"method":"${method}"}\n`)
      const { value } = (await answers.next()) as { value: string }
      return (JSON.parse(value) as { result: T }).result
    }
    const { pid } = await call<{ pid: number }>('ping')
    const pingAt = performance.now()
    const { services } = await call<Pick<Status, 'services'>>('status')
    const missing = services.find(({ state }) => state !== 'running')
    if (missing !== undefined) throw new NotTakenUp(`${missing.name} is ${missing.state}`)
    return { pid, pingAt, statusAt: performance.now() }
  } catch (thrown) {
    if (thrown instanceof NotTakenUp) throw thrown
    return undefined
  } finally {
    socket.destroy()
  }
}

class NotTakenUp extends Error {}

const comeback = async (path: string): Promise<{ pingMs: number; statusMs: number }> => {
  const before = await ask(path)
  if (before === undefined) throw new Error('no supervisor answers')
  const start = performance.now()
  process.kill(before.pid, 'SIGKILL')
  for (;;) {
    const now = await ask(path)
    if (now !== undefined && now.pid !== before.pid)
      return { pingMs: now.pingAt - start, statusMs: now.statusAt - start }
    // Asking without a pause would take one of the cores that the supervisor comes back on.
    await pause(1)
  }
}

const inWords = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(0)
  return `median ${at(0.5)} ms, best ${at(0)} ms, worst ${at(1)} ms`
}

for (const count of [1, 50]) {
  await using box = new Sandbox({ inTest: false })
  const services = Array.from({ length: count }, (_, at) => `  s${at}: { command: sleep 1000 }`).join('\n')
  box.config(`services:\n${services}`)
  await box.sysg('start', '-d')
  const path = socketOf(box)
  const times: Awaited<ReturnType<typeof comeback>>[] = []
  for (let round = 0; round < rounds; round++) {
    // The tenth death in a row waits for a person.
    if (round % 8 === 7) {
      await box.sysg('stop')
      await box.sysg('start', '-d')
    }
    times.push(await comeback(path))
  }
  process.stdout.write(`${count} services, until it answers: ${inWords(times.map(({ pingMs }) => pingMs))}\n`)
  process.stdout.write(
    `${count} services, until it knows them all: ${inWords(times.map(({ statusMs }) => statusMs))}\n`,
  )
}
