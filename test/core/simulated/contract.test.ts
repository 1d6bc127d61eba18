import {
  all,
  answers,
  createWorld,
  exitsAfter,
  forks,
  ignoresSigterm,
  prints,
  programsByName,
  serve,
  type Programs,
} from '@systemg/core/simulated'
import { describe, expect, it } from 'vitest'
import { hostContract, type HostUnderTest } from '../../../core/src/testing/host-contract.ts'

const ready = prints('ready\n')

/** The contract's standard programs, by the first word of their command. */
const standardPrograms: Programs = (spec) => {
  const [, first = '', second = 'stdout'] = spec.argv
  return programsByName({
    sleeps: all(ready, serve()),
    exits: exitsAfter(Number(second), Number(first)),
    ignoresSigterm: all(ignoresSigterm(), ready),
    prints: all(prints(first, second === 'stderr' ? 'stderr' : 'stdout'), exitsAfter(0)),
    forks: all(forks(ignoresSigterm()), ready),
    forksEscaped: forks(forks(all(ignoresSigterm(), ready), { setsid: true, reparent: true })),
    listens: (self) => {
      if (self.bind(`tcp://127.0.0.1:${first}`)) self.write('ready\n')
      else self.exit(1)
    },
    answers: all(
      answers(`tcp://127.0.0.1:${first}`, ({ method, path, body }) => ({
        status: Number(second),
        body: spec.argv[3] ?? '',
        headers: { 'X-Asked': `${method} ${path}`, 'X-Got': body },
      })),
      ready,
    ),
    neverAnswers: all(
      answers(`tcp://127.0.0.1:${first}`, () => 'hang'),
      ready,
    ),
    neverAccepts: all((self) => void self.bind(`tcp://127.0.0.1:${first}`), ready),
    printsEnv: (self) => {
      for (const [name, value] of Object.entries(self.env)) self.write(`${name}=${value}\n`)
      self.exit(0)
    },
  })(spec)
}

const underTest = async (): Promise<HostUnderTest> => {
  const world = createWorld({ programs: standardPrograms })
  let host = world.host()
  return {
    host,
    folder: '/test',
    programs: {
      sleeps: () => ['sleeps'],
      exits: (code, afterMs) => ['exits', `${code}`, `${afterMs}`],
      ignoresSigterm: () => ['ignoresSigterm'],
      prints: (text, stream) => ['prints', text, stream],
      forks: () => ['forks'],
      forksEscaped: () => ['forksEscaped'],
      answers: (port, status, body) => ['answers', `${port}`, `${status}`, body],
      neverAnswers: (port) => ['neverAnswers', `${port}`],
      neverAccepts: (port) => ['neverAccepts', `${port}`],
      printsEnv: () => ['printsEnv'],
      listens: (port) => ['listens', `${port}`],
    },
    freePort: () => Promise.resolve(8080),
    pass: (ms) => world.advance(ms),
    until: async (condition) => {
      await world.settle()
      for (let step = 0; !(await condition()); step++) {
        if (step === 2_000) throw new Error('did not come true in 20 simulated seconds')
        await world.advance(10)
      }
    },
    connect: (path) => world.connect(path),
    reopen: async () => {
      world.crashSupervisor(host)
      host = world.host()
      return host
    },
    dispose: async () => {
      await world.advance(1_000)
      expect(world.processes.list()).toEqual([])
      expect(world.pendingTimers()).toBe(0)
    },
  }
}

hostContract('simulated', underTest, { describe, it, expect })
