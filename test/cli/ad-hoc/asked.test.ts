/** What the words behind `sysg start` stand for. */
import { describe, expect, it } from 'vitest'
import { askedOf } from '../../../cli/src/ad-hoc/asked.ts'
import { command as start } from '../../../cli/src/commands/start.ts'
import { parseFor } from '../../../cli/src/parse.ts'

const asked = (...args: readonly string[]) => askedOf(parseFor('start', start, args).typed)

describe('sysg start', () => {
  it.each<[line: string, command: unknown]>([
    ['-- node worker.js --flag', { name: undefined, argv: ['node', 'worker.js', '--flag'] }],
    ['--name w -- node -d', { name: 'w', argv: ['node', '-d'] }],
    ['-d --name w ./server 8080', { name: 'w', argv: ['./server', '8080'] }],
    ['-- env -- x', { name: undefined, argv: ['env', '--', 'x'] }],
    ['-- api', { name: undefined, argv: ['api'] }],
  ])('%s is a program', (line, command) => {
    expect(asked(...line.split(' '))).toEqual({ command, services: undefined, orCommand: undefined })
  })

  it.each<[line: string, services: readonly string[]]>([
    ['api', ['api']],
    ['api web -d', ['api', 'web']],
    ['test -s web', ['test', 'web']],
  ])('%s names services', (line, services) => {
    expect(asked(...line.split(' '))).toMatchObject({ command: undefined, services })
  })

  it('with bare words may mean a program where there is no config, but not with -s', () => {
    expect(asked('./server', '80').orCommand).toEqual({ name: undefined, argv: ['./server', '80'] })
    expect(asked('./server', '-s', 'api').orCommand).toBeUndefined()
    expect(asked()).toEqual({ command: undefined, services: undefined, orCommand: undefined })
  })

  it('takes an empty argument, but no empty program', () => {
    expect(asked('--', 'x', '').command?.argv).toEqual(['x', ''])
    expect(() => asked('--', '')).toThrow('The program to start is missing')
  })

  it.each<[line: string, message: string]>([
    ['--', 'The program to start is missing: `sysg start -- program`.'],
    ['--name w', 'The program to start is missing: `sysg start --name n -- program`.'],
    ['api -- x', '`api` stands before `--`.'],
    ['--name w api -- x', '`api` stands before `--`.'],
    ['-s api -- x', '`-s` names services of the config'],
    ['-s api --name w', '`-s` names services of the config'],
    ['--name .w -- x', "`.w` can't be the name of a service"],
    ['--name a/b -- x', "`a/b` can't be the name of a service"],
    ['--flag x', 'An option of a program to start stands behind `--`.'],
  ])('%s is wrong usage, and says why', (line, message) => {
    const use = () => asked(...line.split(' '))
    expect(use).toThrow(expect.objectContaining({ code: 'SYSG_USAGE' }))
    expect(use).toThrow(message)
  })
})
