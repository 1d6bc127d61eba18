/** `Host.http` and `Net.connect`: who answers, and what. */
import { HostError, NotAnsweredBy, type HttpRequest } from '../../host.ts'
import { type Part, type Session } from './session.ts'

export const peersContract: Part = (check, expect) => {
  check('asks over HTTP and gets status, headers and body', async (session) => {
    const { port } = await answering(session, 201, 'made')
    const url = `http://127.0.0.1:${port}/things?all=1`
    const response = await session.wait(
      ask(session, { url, method: 'POST', body: 'a thing', headers: { 'x-key': '1' } }),
    )
    expect(response).toMatchObject({ status: 201, body: 'made', isCut: false })
    expect(response.headers['x-asked']).toBe('POST /things?all=1')
    expect(response.headers['x-got']).toBe('a thing')
  })

  check('takes any status for an answer', async (session) => {
    const { port } = await answering(session, 503, 'not now')
    const response = await session.wait(ask(session, { url: `http://localhost:${port}` }))
    expect(response.status).toBe(503)
  })

  check('reads the beginning of a long body and leaves the rest', async (session) => {
    const { port } = await answering(session, 200, 'x'.repeat(100_000))
    const url = `http://127.0.0.1:${port}/`
    expect(await session.wait(ask(session, { url, keepBytes: 10 }))).toMatchObject({ body: 'xxxxxxxxxx', isCut: true })
    const { body, isCut } = await session.wait(ask(session, { url }))
    expect([body.length, isCut]).toEqual([64 * 1024, true])
  })

  check('says that nobody listens', async (session) => {
    const port = await session.at.freePort()
    const asked = await session.failure(() => ask(session, { url: `http://127.0.0.1:${port}/` }))
    expect(asked instanceof HostError && asked.errno).toBe('ECONNREFUSED')
    const to = { host: '127.0.0.1', port }
    const connected = await session.failure(() => session.host.net.connect(to, { signal: never() }))
    expect(connected instanceof HostError && connected.errno).toBe('ECONNREFUSED')
  })

  check('gives up on one that never answers when it is told to', async (session) => {
    const port = await session.at.freePort()
    await session.spawnReady(session.at.programs.neverAnswers(port))
    await givesUp(session, (signal) => session.host.http({ url: `http://127.0.0.1:${port}/`, signal }))
  })

  check('connects, and tells when the other side has gone', async (session) => {
    const { port, tree } = await answering(session, 200, '')
    const to = { host: '127.0.0.1', port }
    const connection = await session.wait(session.host.net.connect(to, { signal: never() }))
    let closes = 0
    connection.onData(() => undefined)
    connection.onClose(() => closes++)
    await session.wait(session.host.processes.signal(tree, 'SIGKILL'))
    await session.at.until(() => closes === 1)
  })

  check('knows who has accepted: the one that was asked', async (session) => {
    const { port, tree } = await answering(session, 200, 'mine')
    const asked = ask(session, { url: `http://127.0.0.1:${port}/`, answeredBy: tree })
    expect((await session.wait(asked)).body).toBe('mine')
    const to = { host: '127.0.0.1', port }
    const connection = await session.wait(session.host.net.connect(to, { signal: never(), answeredBy: tree }))
    connection.close()
  })

  check('names the process that has accepted in the place of the one that was asked', async (session) => {
    const { port, tree } = await answering(session, 200, 'mine')
    const other = await session.spawnReady(session.at.programs.sleeps())
    const options = { signal: never(), answeredBy: other.tree }
    const failures = [
      await session.failure(() => session.host.http({ url: `http://127.0.0.1:${port}/`, ...options })),
      await session.failure(() => session.host.net.connect({ host: '127.0.0.1', port }, options)),
    ]
    expect(failures.map((failure) => failure instanceof NotAnsweredBy && [failure.why, failure.pid])).toEqual([
      ['other', tree.pid],
      ['other', tree.pid],
    ])
  })

  check('connects where nobody accepts, but does not take that for an answer of anybody', async (session) => {
    const port = await session.at.freePort()
    const { tree } = await session.spawnReady(session.at.programs.neverAccepts(port))
    const to = { host: '127.0.0.1', port }
    const connection = await session.wait(session.host.net.connect(to, { signal: never() }))
    connection.close()
    await givesUp(session, (signal) => session.host.net.connect(to, { signal, answeredBy: tree }))
  })

  check('asks nobody when it is aborted already', async (session) => {
    const { port } = await answering(session, 200, '')
    const reason = new Error('too late')
    const signal = AbortSignal.abort(reason)
    expect(await session.failure(() => ask(session, { url: `http://127.0.0.1:${port}/`, signal }))).toBe(reason)
    expect(await session.failure(() => session.host.net.connect({ host: '127.0.0.1', port }, { signal }))).toBe(reason)
  })
}

const never = () => new AbortController().signal

const answering = async (session: Session, status: number, body: string) => {
  const port = await session.at.freePort()
  const { tree } = await session.spawnReady(session.at.programs.answers(port, status, body))
  return { port, tree }
}

const ask = (session: Session, request: Omit<HttpRequest, 'signal'> & { signal?: AbortSignal }) =>
  session.host.http({ signal: never(), ...request })

const givesUp = async (session: Session, act: (signal: AbortSignal) => Promise<unknown>): Promise<void> => {
  const controller = new AbortController()
  const state = { settled: false }
  const mark = () => void (state.settled = true)
  const acting = act(controller.signal)
  acting.then(mark, mark)
  await session.at.pass(100)
  if (state.settled) throw new Error('it was settled before it was told to give up')
  const reason = new Error('long enough')
  controller.abort(reason)
  const failure = await session.failure(() => acting)
  if (failure !== reason) throw new Error(`it failed with ${String(failure)}`)
}
