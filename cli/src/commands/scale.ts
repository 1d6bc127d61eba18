/** `sysg scale name=N`: run a service so many times, until a config says otherwise. */
import { connect } from '../client/connect.ts'
import { serviceNames, type Command } from '../command.ts'
import { Failure } from '../failures.ts'
import { operate } from '../operations/operate.ts'
import { locate } from '../project/locate.ts'
import { durationMs } from '../terminal/duration.ts'

export const command: Command = {
  description: 'Run so many instances of a service at once. Holds until a config changes its `replicas`',
  services: true,
  positionals: 'name=count…',
  args: {
    wait: {
      type: 'boolean',
      default: true,
      description: 'Wait until the new instances are ready and the others have ended',
      negativeDescription: 'Return as soon as it is decided',
    },
    timeout: { type: 'string', description: 'Wait no longer than this', valueHint: '60s' },
  },
  async run(context) {
    const replicas = countsOf(serviceNames(context.typed))
    const { timeout, wait } = context.typed.values
    const timeoutMs = typeof timeout === 'string' ? durationMs(timeout, '--timeout') : undefined
    const supervisor = await connect(locate(context).paths)
    const params = { replicas, wait: wait !== false }
    const code = await operate(context, supervisor, { verb: 'scale', method: 'scale', params, timeoutMs })
    supervisor.close()
    return code
  },
}

/** @throws {Failure} `SYSG_USAGE` for what is no `name=count`. */
const countsOf = (words: readonly string[]): Readonly<Record<string, number>> => {
  if (words.length === 0) throw usage('Say which service and how many: `sysg scale api=4`.')
  const counts = new Map<string, number>()
  for (const word of words) {
    const at = word.lastIndexOf('=')
    const [name, count] = at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
    if (name === '') throw usage(`\`${word}\` names no service: write \`api=4\`.`)
    if (count === '') throw usage(`\`${word}\` does not say how many: write \`${name}=4\`.`)
    if (!/^\d{1,9}$/.test(count)) throw usage(`\`${word}\`: how many is a whole number from 0, not \`${count}\`.`)
    if (counts.has(name)) throw usage(`\`${name}\` is named twice.`)
    counts.set(name, Number(count))
  }
  return Object.fromEntries(counts)
}

const usage = (message: string): Failure => new Failure('SYSG_USAGE', { message, command: 'scale' })
