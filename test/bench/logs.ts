/**
 * What it costs to keep the output of services: as many bytes a second as the programs get rid of, and the CPU time of
 * whoever takes them, against `cat >file`, supervisord and s6-log (those that are installed) under the same load in the
 * same run. Prints figures and asserts nothing but that every byte has arrived.
 */
import { spawnSync } from 'node:child_process'
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { cpuSeconds } from './cpu-seconds.ts'
import { keepers, type Keeper, type Load } from './log-keepers.ts'

const gibibyte = 2 ** 30
const runs = Number(process.env['SYSG_BENCH_RUNS'] ?? 3)

/** Whole lines: s6-log keeps the last one to itself until it ends. */
const inLines = (bytes: number): number => bytes - (bytes % 100)

const only = process.env['SYSG_BENCH_LOAD']
const loads: readonly Load[] = [
  { title: '1 service, 1 GiB, 65 500 bytes a write', writers: 1, bytesEach: inLines(gibibyte), perWrite: 65_500 },
  { title: '20 services at once, 1 GiB together', writers: 20, bytesEach: inLines(gibibyte / 20), perWrite: 65_500 },
  { title: '1 service, 64 MiB, a line a write', writers: 1, bytesEach: inLines(gibibyte / 16), perWrite: 100 },
]

interface Figures {
  readonly mebibytesPerSecond: number
  readonly cpuPerGibibyte: number
}

const measure = async (keeper: Keeper, load: Load): Promise<Figures> => {
  const folder = mkdtempSync(join(tmpdir(), 'sysg-bench-'))
  try {
    mkdirSync(join(folder, 'logs'))
    spawnSync('mkfifo', [join(folder, 'gate')])
    const running = await keeper.start(folder, load)
    let gate: number | undefined
    try {
      await until(
        () => readdirSync(folder).filter((name) => name.startsWith('ready.')).length === load.writers,
        () => `${keeper.name} does not start its writers`,
      )
      const total = load.writers * load.bytesEach
      const cpuBefore = cpuSeconds(running.pids)
      const startMs = performance.now()
      // Kept open: one that is not at the gate yet finds it open.
      gate = openSync(join(folder, 'gate'), constants.O_WRONLY)
      await until(
        () => bytesBelow(running.logs) >= total,
        () => `${keeper.name} has ${bytesBelow(running.logs)} of ${total} bytes`,
      )
      const seconds = (performance.now() - startMs) / 1000
      const cpu = cpuSeconds(running.pids) - cpuBefore
      if (bytesBelow(running.logs) !== total) throw new Error(`${keeper.name} has other bytes than were written`)
      return { mebibytesPerSecond: total / 2 ** 20 / seconds, cpuPerGibibyte: (cpu * gibibyte) / total }
    } finally {
      if (gate !== undefined) closeSync(gate)
      await running.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const until = async (isSo: () => boolean, state: () => string): Promise<void> => {
  for (const endMs = performance.now() + 60_000; !isSo();) {
    if (performance.now() > endMs) throw new Error(`after a minute ${state()}`)
    await pause(5)
  }
}

/** In log files, whatever they are called; there is no folder before the first byte. */
const bytesBelow = (folder: string): number =>
  (existsSync(folder) ? readdirSync(folder, { recursive: true, withFileTypes: true }) : [])
    .filter((entry) => entry.isFile() && !noLog.test(entry.name))
    .reduce(
      (sum, entry) => sum + (statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    )

/** Our times and instances, our supervisor's own log; the state of s6-log. */
const noLog = /\.(idx|ids)$|^(supervisor|lock|state)\b/

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const row = (...cells: readonly string[]): void =>
  console.log(cells.map((cell, n) => (n === 0 ? cell.padEnd(14) : cell.padStart(16))).join(''))

const ratio = (one: number, other: number): string => `×${(one / other).toFixed(2)}`

for (const load of only === undefined ? loads : loads.slice(Number(only), Number(only) + 1)) {
  const all = new Map<Keeper, Figures[]>(keepers.map((keeper) => [keeper, []]))
  // In turn, so that whatever else the machine does meets all of them.
  for (let run = 0; run < runs; run += 1) {
    for (const [keeper, figures] of all) figures.push(await measure(keeper, load))
  }
  console.log(`\n${load.title}; median of ${runs} runs, and sysg against each`)
  row('', 'MiB/s', 'sysg is', 'CPU s a GiB', 'sysg takes')
  const medians = [...all].map(([{ name }, figures]) => ({
    name,
    rate: median(figures.map(({ mebibytesPerSecond }) => mebibytesPerSecond)),
    cpu: median(figures.map(({ cpuPerGibibyte }) => cpuPerGibibyte)),
  }))
  const [ours] = medians
  for (const { name, rate, cpu } of medians) {
    const [faster, cheaper] = ours === undefined ? ['', ''] : [ratio(ours.rate, rate), ratio(ours.cpu, cpu)]
    row(name, rate.toFixed(0), faster, cpu.toFixed(2), cheaper)
  }
}
