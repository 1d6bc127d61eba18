// Counts visits in the database, through psql: a program that needs nothing installed but PostgreSQL.
import { execFile } from 'node:child_process'
import { createServer } from 'node:http'
import { promisify } from 'node:util'

const run = promisify(execFile)
const query = async (sql) => (await run('psql', ['-qtAX', '-v', 'ON_ERROR_STOP=1', '-c', sql])).stdout.trim()

const server = createServer(async (request, response) => {
  try {
    if (request.url === '/visit') await query('insert into visits default values')
    response.end(`${await query('select count(*) from visits')} visits\n`)
  } catch (error) {
    response.writeHead(503).end(`${error.message}\n`)
  }
})
server.listen(Number(process.env.HTTP_PORT), '127.0.0.1', () => console.log('listening'))
process.on('SIGTERM', () => server.close(() => process.exit(0)))
