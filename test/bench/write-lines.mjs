/**
 * Writes lines of 100 bytes to stdout as fast as they are taken, once all writers may begin.
 *
 *   node write-lines.mjs <bytes> <bytes per write> <folder of `gate`, a named pipe>
 */
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs'

const [bytes, perWrite, folder] = process.argv.slice(2)
const block = Buffer.from(`${'x'.repeat(99)}\n`.repeat(Number(perWrite) / 100))
writeFileSync(`${folder}/ready.${process.pid}`, '')
closeSync(openSync(`${folder}/gate`, 'r'))
for (let left = Number(bytes); left > 0;) {
  const end = Math.min(left, block.length)
  for (let done = 0; done < end;) done += writeSync(1, block, done, end - done)
  left -= end
}
