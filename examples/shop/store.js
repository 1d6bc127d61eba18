/**
 * A key-value store over TCP. One request per line, one line back:
 *
 *   GET key          the value, or an empty line
 *   SET key value    OK
 *   PUSH key value   OK; the value is now the last of a list
 *   FIRST key        the first value of a list, or an empty line
 *   DROP key         OK; the list has lost its first value
 *
 * Every change is appended to `data/store.log` and played back at the next start.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'

const file = 'data/store.log'
const values = new Map()
const lists = new Map()
const listOf = (key) => lists.get(key) ?? []

const questions = {
  GET: (key) => values.get(key) ?? '',
  FIRST: (key) => listOf(key)[0] ?? '',
}

const changes = {
  SET: (key, value) => values.set(key, value),
  PUSH: (key, value) => lists.set(key, [...listOf(key), value]),
  DROP: (key) => lists.set(key, listOf(key).slice(1)),
}

const parse = (line) => /^(\w+) (\S+)(?: (.*))?$/.exec(line)?.slice(1) ?? []

const change = (line) => {
  const [name, key, value = ''] = parse(line)
  changes[name]?.(key, value)
}

const answer = (line) => {
  const [name = '', key] = parse(line)
  if (Object.hasOwn(questions, name)) return questions[name](key)
  if (!Object.hasOwn(changes, name)) return 'ERROR no such command'
  appendFileSync(file, `${line}\n`)
  change(line)
  return 'OK'
}

mkdirSync('data', { recursive: true })
const history = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
history.forEach(change)
console.log(`${history.length} changes read from disk`)

const connections = new Set()
const server = createServer((connection) => {
  connections.add(connection)
  connection.on('error', () => {}).on('close', () => connections.delete(connection))
  createInterface({ input: connection }).on('line', (line) => connection.write(`${answer(line)}\n`))
})
server.listen(process.env.STORE_PORT, '127.0.0.1', () => console.log(`listening on port ${process.env.STORE_PORT}`))

process.on('SIGTERM', () => {
  console.log('stopping')
  server.close()
  for (const connection of connections) connection.end()
})
