/**
 * A real system under everything at once: services that crash and come back, output without end, a thousand requests a
 * second, clients that connect and vanish. Takes the supervisor's memory and descriptors as a curve.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Sandbox } from '../e2e/sysg.ts'

export interface Sample {
  readonly atMs: number
  readonly residentBytes: number
  readonly descriptors: number
  /** Since the start, of each kind. */
  readonly calls: number
  readonly clients: number
}

const config = `
logs: { max_bytes: 1M, max_files: 2 }
services:
  crashes: { command: "sleep 0.5; exit 1", restart_policy: always, backoff: 100ms }
  loud: { command: "while :; do head -c 200000 /dev/zero | tr '\\\\\\\\0' x | fold -w 100; sleep 0.1; done" }
  calm: { command: "sleep 100000" }
`

/** @returns samples, the first before any load. */
export const soak = async (
  box: Sandbox,
  { forMs, samples }: { forMs: number; samples: number },
  onSample: (sample: Sample) => void = () => undefined,
): Promise<readonly Sample[]> => {
  box.config(config)
  await box.sysg('start', '-d')
  const { pid } = (await box.status()).supervisor
  const [id = ''] = readdirSync(box.home).filter((name) => name !== 'by-config')
  const socket = join(box.home, id, 'run', 'control.sock')
  const load = new AbortController()
  const counts = { calls: 0, clients: 0 }
  const loads = Promise.all([callOften(socket, load.signal, counts), vanishOften(socket, load.signal, counts)])
  const startMs = performance.now()
  const curve: Sample[] = []
  try {
    for (let at = 0; at <= samples; at++) {
      await pause(Math.max(0, startMs + (at * forMs) / samples - performance.now()))
      const sample = { atMs: Math.round(performance.now() - startMs), ...look(pid), ...counts }
      curve.push(sample)
      onSample(sample)
    }
  } finally {
    load.abort()
    await loads
  }
  return curve
}

/** For people: one line. */
export const lineOf = ({ atMs, residentBytes, descriptors, calls, clients }: Sample): string =>
  `${String(Math.round(atMs / 1000)).padStart(5)} s  ${(residentBytes / 1024 / 1024).toFixed(1).padStart(6)} MiB  ${descriptors} descriptors  ${calls} calls  ${clients} clients that vanished`

/** How much the highest of the last third is above the highest of the middle third, bytes: the first third warms up. */
export const growth = (curve: readonly Sample[]): number => {
  const third = Math.floor(curve.length / 3)
  const highest = (part: readonly Sample[]) => Math.max(...part.map(({ residentBytes }) => residentBytes))
  return highest(curve.slice(2 * third)) - highest(curve.slice(third, 2 * third))
}

const look = (pid: number) => ({
  residentBytes: Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
  descriptors: readdirSync(`/proc/${pid}/fd`).length,
})

/** A thousand requests a second over one connection, as far as they are answered. */
const callOften = (path: string, signal: AbortSignal, counts: { calls: number }): Promise<void> =>
  new Promise((resolve) => {
    const socket = connect(path)
    let waiting = 0
    let id = 0
    const send = () => {
      for (let count = 0; count < 10 && waiting < 30; count++, waiting++)
        socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: ++id, method: id % 5 === 0 ? 'status' : 'ping' })}\n`)
    }
    const timer = setInterval(send, 10)
    socket.on('data', (chunk) => {
      const answers = chunk.filter((byte) => byte === 10).length
      waiting -= answers
      counts.calls += answers
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearInterval(timer)
      resolve()
    })
    signal.addEventListener('abort', () => socket.destroy())
  })

/** Twenty clients a second that ask for something long and go. */
const vanishOften = async (path: string, signal: AbortSignal, counts: { clients: number }): Promise<void> => {
  const requests = ['events.follow', 'logs.follow', 'settled', 'nonsense']
  while (!signal.aborted) {
    const socket = connect(path)
    socket.on('error', () => undefined)
    const method = requests[counts.clients % requests.length]
    socket.once('connect', () => {
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: {} })}\n`, () => socket.destroy())
    })
    counts.clients += 1
    await pause(50)
  }
}
