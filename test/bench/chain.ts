/**
 * How long a system takes to be ready, against the least that it could take: in a chain every service is ready 50 ms
 * after it was started, and not before the one it needs. Prints figures and asserts nothing. `SYSG_BENCH_RUNS`: how often.
 */
import { Sandbox } from '../e2e/sysg.ts'

const graceMs = 50
const runs = Number(process.env['SYSG_BENCH_RUNS'] ?? 5)

interface Shape {
  readonly name: string
  /** What each service needs. */
  readonly services: Readonly<Record<string, readonly string[]>>
  /** Services one after the other on the longest way. */
  readonly depth: number
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}${n}`)

const chain = (length: number): Shape => ({
  name: `chain of ${length}`,
  services: Object.fromEntries(names('s', length).map((name, n) => [name, n === 0 ? [] : [`s${n - 1}`]])),
  depth: length,
})

const diamond = (size: number): Shape => {
  const middle = names('m', size - 2)
  return {
    name: `diamond of ${size}`,
    services: { top: [], ...Object.fromEntries(middle.map((name) => [name, ['top']])), bottom: middle },
    depth: 3,
  }
}

const configOf = ({ services }: Shape): string =>
  JSON.stringify({
    services: Object.fromEntries(
      Object.entries(services).map(([name, needs]) => [
        name,
        { command: 'sleep 1000', startup_grace: `${graceMs}ms`, depends_on: needs },
      ]),
    ),
  })

interface Figures {
  /** From the first start to the last service that is ready. */
  readonly readyMs: number
  /** `sysg start -d`, from the shell's point of view. */
  readonly commandMs: number
}

const measure = async (shape: Shape): Promise<Figures> => {
  await using box = new Sandbox({ inTest: false })
  box.config(configOf(shape))
  const beganAt = performance.now()
  const { code, stderr } = await box.run('start', '-d')
  const commandMs = performance.now() - beganAt
  if (code !== 0) throw new Error(stderr)
  const { stdout } = await box.run('events', '--json', '--lines', '1000')
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; time: string })
  const timesOf = (type: string) => events.filter((event) => event.type === type).map(({ time }) => Date.parse(time))
  return { readyMs: Math.max(...timesOf('service.ready')) - Math.min(...timesOf('service.starting')), commandMs }
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const row = (...cells: readonly string[]): void =>
  console.log(cells.map((cell, n) => (n === 0 ? cell.padEnd(16) : cell.padStart(12))).join(''))

console.log(`Time to ready; every service is ready ${graceMs} ms after its start. Median of ${runs} runs.\n`)
row('', 'at least', 'took', 'overhead', 'start -d')
for (const shape of [chain(1), chain(20), diamond(50)]) {
  const all: Figures[] = []
  for (let run = 0; run < runs; run += 1) all.push(await measure(shape))
  const leastMs = shape.depth * graceMs
  const readyMs = median(all.map((one) => one.readyMs))
  const commandMs = median(all.map((one) => one.commandMs))
  const overhead = `${Math.round(((readyMs - leastMs) / leastMs) * 100)} %`
  row(shape.name, `${leastMs} ms`, `${Math.round(readyMs)} ms`, overhead, `${Math.round(commandMs)} ms`)
}
