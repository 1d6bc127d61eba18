/** `npm run test:soak [minutes]`: ten minutes under load, with the curve of the supervisor's memory. Fails when it grows. */
import { Sandbox } from '../e2e/sysg.ts'
import { growth, lineOf, soak } from './soak.ts'

const minutes = Number(process.argv[2] ?? 10)
const mostBytes = 8 * 1024 * 1024

await using box = new Sandbox({ inTest: false })
const print = (line: string) => process.stdout.write(`${line}\n`)
const curve = await soak(box, { forMs: minutes * 60_000, samples: 60 }, (sample) => print(lineOf(sample)))
const grown = growth(curve)
print(`growth from the middle third to the last: ${(grown / 1024 / 1024).toFixed(1)} MiB`)
process.exitCode = grown > mostBytes ? 1 : 0
