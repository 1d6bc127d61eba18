/** Tries to take the lock of the folder named by its argument, says `taken` or `refused`, and keeps it until stdin ends. */
import { acquireLock } from '../../../cli/src/host/lock.ts'

const lock = acquireLock(process.argv[2] ?? '')
process.stdout.write(lock === undefined ? 'refused\n' : 'taken\n')
if (lock === undefined) process.exit(0)
process.stdin.resume()
process.stdin.on('end', () => process.exit(0))
