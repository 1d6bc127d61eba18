/**
 * Writes numbered lines of 100 bytes at a rate until `stop` is there; then `report.json` says how it went.
 *
 *   node numbered-lines.mjs <bytes per second>
 */
import { existsSync, renameSync, writeFileSync, writeSync } from 'node:fs'

const rate = Number(process.argv[2])
const lineBytes = 100
/** Written at once: no whole number of lines, so that chunks end anywhere. */
const blockBytes = Math.min(65_432, Math.ceil(rate / 100) + 1)

const report = { lines: 0, signals: [], error: null, longestStallMs: 0 }
for (const signal of ['SIGPIPE', 'SIGHUP', 'SIGTERM', 'SIGINT', 'SIGCONT', 'SIGUSR2'])
  process.on(signal, () => report.signals.push(signal))

const line = Buffer.from(`${'.'.repeat(lineBytes - 1)}\n`)
const block = Buffer.alloc(blockBytes)
let inLine = 0

const fill = () => {
  for (let at = 0; at < blockBytes;) {
    if (inLine === 0) line.write(String(report.lines).padStart(12, '0'))
    const bytes = line.copy(block, at, inLine)
    at += bytes
    inLine = (inLine + bytes) % lineBytes
    if (inLine === 0) report.lines += 1
  }
}

const write = (bytes) => {
  for (let done = 0; done < bytes.length;) {
    const startMs = performance.now()
    done += writeSync(1, bytes, done)
    report.longestStallMs = Math.max(report.longestStallMs, performance.now() - startMs)
  }
}

try {
  let written = 0
  let startMs = performance.now()
  while (!existsSync('stop')) {
    const due = ((performance.now() - startMs) * rate) / 1000
    // What could not be written while nobody read is not made up for.
    if (due - written > rate / 10) [startMs, written] = [performance.now(), 0]
    for (; written < due; written += blockBytes) {
      fill()
      write(block)
    }
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  if (inLine > 0) {
    write(line.subarray(inLine))
    report.lines += 1
  }
} catch (thrown) {
  report.error = String(thrown)
}
writeFileSync('report.new', JSON.stringify(report))
renameSync('report.new', 'report.json')
