/** How long after its SIGKILL a supervisor answers again, with one service and with fifty. Run it on a machine that does nothing else. */
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Sandbox } from '../e2e/sysg.ts'

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

/** Who answers there; undefined when nobody does. */
const ask = async (path: string): Promise<number | undefined> => {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    socket.write('{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    return (JSON.parse(answer.toString()) as { result: { pid: number } }).result.pid
  } catch {
    return undefined
  } finally {
    socket.destroy()
  }
}

const comebackMs = async (path: string): Promise<number> => {
  const before = await ask(path)
  if (before === undefined) throw new Error('no supervisor answers')
  const start = performance.now()
  process.kill(before, 'SIGKILL')
  for (;;) {
    const now = await ask(path)
    if (now !== undefined && now !== before) return performance.now() - start
    // Asking without a pause would take one of the cores that the supervisor comes back on.
    await pause(1)
  }
}

for (const count of [1, 50]) {
  await using box = new Sandbox({ inTest: false })
  const services = Array.from({ length: count }, (_, at) => `  s${at}: { command: sleep 1000 }`).join('\n')
  box.config(`services:\n${services}`)
  await box.sysg('start', '-d')
  const path = socketOf(box)
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    // The tenth death in a row waits for a person.
    if (round % 8 === 7) {
      await box.sysg('stop')
      await box.sysg('start', '-d')
    }
    times.push(await comebackMs(path))
  }
  times.sort((a, b) => a - b)
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(0)
  process.stdout.write(`${count} services: median ${at(0.5)} ms, best ${at(0)} ms, worst ${at(1)} ms\n`)
}
