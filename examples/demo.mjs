/**
 * `npm run demo`: the story of `examples/shop`, played for real. Every command is run, every output is true, and
 * every `✔` was checked; when the system does not do what the story says, the demo ends with exit code 1.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from './demo/free-ports.mjs'
import { Interrupted, withStage } from './demo/stage.mjs'
import { checked, complain, heading, say, typed } from './demo/terminal.mjs'

const story = async (stage) => {
  const [storePort, apiPort] = await freePorts(2)
  writeFileSync(join(stage.folder, 'shop.env'), `STORE_PORT=${storePort}\nAPI_PORT=${apiPort}\n`)
  const api = `http://127.0.0.1:${apiPort}`

  say('The story of examples/shop: four small programs in plain Node, and sysg.')
  say('Who waits for whom:  store ─► migrate (once) ─► api ─► worker')

  heading('1. One command starts them, in the order in which they need each other')
  await sysg(stage, 'start -d')
  const before = await stage.services()
  assertStates(before, { store: 'running', migrate: 'completed', api: 'running', worker: 'running' })
  checked('it came back when everything was ready\n')
  await sysg(stage, 'status')
  checked('the migration has done its work and ended; the other three run\n')
  await request(stage, 'POST', `${api}/orders?product=tea`)
  checked('the api takes orders, the worker packs them')

  heading('2. kill -9 the store: what needs it stops, and comes back')
  kill(before.store.pid)
  await stage.untilServices(
    'the store waits for its restart, and api and worker for the store',
    ({ store, api, worker }) => store.state === 'backoff' && api.state === 'blocked' && worker.state === 'blocked',
  )
  await sysg(stage, 'status', { exitCode: 1 })
  checked('nobody works against a dead store, and everybody says why')

  say('\nThe store is to be restarted after three seconds…\n')
  const after = await stage.untilServices('everything is back', (services) =>
    running.every((name) => services[name].state === 'running'),
  )
  await sysg(stage, 'status')
  for (const name of running) assert.notEqual(after[name].pid, before[name].pid, `${name} still has its old PID`)
  assert.equal(after.migrate.since, before.migrate.since, 'the migration ran again')
  checked('three new processes, in order; the migration was not run again\n')
  assert.equal((await request(stage, 'GET', `${api}/orders/1`)).product, 'tea', 'the order was lost')
  checked('the order from before the crash is there')

  heading('3. kill -9 systemg itself: it comes back, and the services do not even notice')
  const killed = (await stage.status()).supervisor.pid
  kill(killed)
  await request(stage, 'POST', `${api}/orders?product=coffee`)
  checked('they go on, and what they write waits for the next supervisor\n')
  await stage.untilSupervised('the supervisor is back', ({ pid }) => pid !== null && pid !== killed)
  await sysg(stage, 'status')
  const adopted = await stage.services()
  for (const name of running) assert.equal(adopted[name].pid, after[name].pid, `${name} has another PID`)
  checked('a new supervisor has taken over what runs, under the PIDs it had')

  heading('4. What they all said, in order of time')
  await stage.untilLogs(/packed order 2/)
  await sysg(stage, 'logs --lines 20')
  assert.match(await stage.ask('logs'), /took order 1: tea[^]*took order 2: coffee/, 'an order is missing')
  checked('no line is missing, not even of what nobody was there to read')

  heading('5. One command stops them')
  await sysg(stage, 'stop')
  await stage.untilNothingRuns()
  checked('no process is left')
}

/** The services that run for ever. */
const running = ['store', 'api', 'worker']

/** Show and run a `sysg` command, and insist on its exit code. */
const sysg = async (stage, args, { exitCode = 0 } = {}) => {
  typed(`sysg ${args}`)
  const code = await stage.run(...args.split(' '))
  assert.equal(code, exitCode, `\`sysg ${args}\` ended with exit code ${code}, not ${exitCode}`)
}

const kill = (pid) => {
  typed(`kill -9 ${pid}`)
  process.kill(pid, 'SIGKILL')
}

/** Make an HTTP request, shown as a curl command with its answer. Resolves with the answer. */
const request = async ({ signal }, method, url) => {
  typed(`curl ${method === 'GET' ? '' : `-X ${method} `}'${url}'`)
  const response = await fetch(url, { method, signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]) })
  const body = await response.text()
  say(body.trimEnd())
  assert.ok(response.ok, `the api answered with ${response.status}`)
  return JSON.parse(body)
}

const assertStates = (services, expected) => {
  const states = Object.fromEntries(Object.values(services).map(({ name, state }) => [name, state]))
  assert.deepEqual(states, expected, `the states are ${JSON.stringify(states)}, not ${JSON.stringify(expected)}`)
}

const startedAt = performance.now()
try {
  await withStage(join(import.meta.dirname, 'shop'), { limitMs: 55_000 }, story)
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  say(`\nThat was it, in ${seconds} s. The tour in README.md lets you do it by hand.`)
} catch (thrown) {
  const isInterrupted = thrown instanceof Interrupted
  complain(
    isInterrupted ? `Ended by ${thrown.message}; nothing is left running.` : `The demo failed: ${thrown.message}`,
  )
  process.exitCode = isInterrupted ? 130 : 1
}
