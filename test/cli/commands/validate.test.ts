import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { command as schema } from '../../../cli/src/commands/schema.ts'
import { command } from '../../../cli/src/commands/validate.ts'
import { runCommand } from '../config/run-command.ts'
import { tempFolder } from '../config/temp-folder.ts'

const sevenMistakes = `services:
  web:
    command: ./web --port \${PORT}
    stop_timeout: soon
    depends_on: [db, cahce]
  db:
    comand: postgres
    replicas: many
  cache:
    command: redis-server
    restart_policy: alway
    stop_signal: SIGTREM`

describe('sysg validate', () => {
  it('says that a sound config is valid, on stdout, and ends with 0', async () => {
    const cwd = tempFolder({ 'systemg.yaml': 'services:\n  a: { command: x }\n  b: { command: x }' })
    expect(await runCommand(command, { cwd })).toEqual({ code: 0, out: 'systemg.yaml is valid: 2 services\n', err: '' })
  })

  it('warns when what editors check the config with is not the schema of its plugins', async () => {
    const comment = '# yaml-language-server: $schema=systemg.schema.json'
    const cwd = tempFolder({ 'systemg.yaml': `${comment}\nservices: { a: { command: x } }` })
    const output = 'systemg.schema.json'
    await runCommand(schema, { cwd, values: { output } })
    expect(await runCommand(command, { cwd })).toMatchObject({ code: 0, err: '' })
    const plugin = "export default { name: 'p', apiVersion: 1, setup() {} }"
    writeFileSync(
      join(cwd, 'p.mjs'),
      plugin
        .replace('setup', "system: { colour: z.string().optional().describe('x') }, setup")
        .replace(/^/, "import { z } from '@systemg/core'\n"),
    )
    writeFileSync(join(cwd, 'systemg.yaml'), `${comment}\nplugins: [./p.mjs]\nservices: { a: { command: x } }`)
    expect(await runCommand(command, { cwd })).toMatchObject({
      code: 0,
      err: expect.stringContaining('`sysg schema --output systemg.schema.json`') as string,
    })
    writeFileSync(join(cwd, output), '{ "title": "of somebody else" }')
    expect(await runCommand(command, { cwd })).toMatchObject({ code: 0, err: '' })
  })

  it('reports every mistake at once with file, line and column, and ends with 5', async () => {
    const cwd = tempFolder({ 'systemg.yaml': sevenMistakes })
    const { code, out, err } = await runCommand(command, { cwd })
    expect(code).toBe(5)
    expect(out).toBe('')
    expect(err.match(/^systemg\.yaml:\d+:\d+/gm)).toEqual([
      'systemg.yaml:3:27',
      'systemg.yaml:4:19',
      'systemg.yaml:5:22',
      'systemg.yaml:7:5',
      'systemg.yaml:8:15',
      'systemg.yaml:11:21',
      'systemg.yaml:12:18',
    ])
    expect(err).toContain('    |                   ^^^^\n')
    expect(err).toContain('Did you mean `command`?')
    expect(err.trimEnd().split('\n').at(-1)).toBe('7 mistakes in systemg.yaml')
  })

  it('cuts long lines to the width of the terminal, around the marker', async () => {
    const cwd = tempFolder({
      'systemg.yaml': `services: { a: { command: "${'x'.repeat(200)} \${NOPE} ${'y'.repeat(200)}" } }`,
    })
    const { err } = await runCommand(command, { cwd, columns: 60 })
    const [, line = '', marker = ''] = err.split('\n')
    expect(line.length).toBeLessThanOrEqual(60)
    expect(line.slice(marker.indexOf('^'), marker.lastIndexOf('^') + 1)).toBe('${NOPE}')
  })

  it('shows warnings, which are no mistakes', async () => {
    const cwd = tempFolder({
      'systemg.yaml': 'services: { a: { command: x }, b: { command: x, depends_on: [a, a] } }',
      'sysg.yaml': '',
    })
    const { code, out, err } = await runCommand(command, { cwd })
    expect({ code, out }).toEqual({ code: 0, out: 'systemg.yaml is valid: 2 services\n' })
    expect(err).toContain('two configs: systemg.yaml is used, sysg.yaml is not')
    expect(err).toContain('systemg.yaml:1:65 warning')
    expect(err).toContain('1 warning in systemg.yaml')
  })

  it('prints one JSON object with --json, and nothing on stderr', async () => {
    const cwd = tempFolder({ 'systemg.yaml': 'services: { my.api: { comand: x } }' })
    const { code, out, err } = await runCommand(command, { cwd, globals: { json: true } })
    expect({ code, err }).toEqual({ code: 5, err: '' })
    expect(JSON.parse(out)).toEqual({
      valid: false,
      problems: [
        {
          code: 'SYSG_CONFIG_KEY_UNKNOWN',
          message: '`comand` is not a key that can stand here.',
          hint: 'Did you mean `command`?',
          path: ['services', 'my.api', 'comand'],
          file: join(cwd, 'systemg.yaml'),
          line: 1,
          column: 23,
          severity: 'error',
        },
      ],
    })
    const sound = tempFolder({ 'systemg.yaml': 'services: { a: { command: x } }' })
    const valid = await runCommand(command, { cwd: sound, globals: { json: true } })
    expect([valid.code, JSON.parse(valid.out)]).toEqual([0, { valid: true, problems: [] }])
  })

  it('prints JSON also when there is no config to read', async () => {
    const cwd = tempFolder()
    const { code, out } = await runCommand(command, { cwd, globals: { json: true, config: 'nope.yaml' } })
    expect(code).toBe(5)
    expect(JSON.parse(out)).toMatchObject({ valid: false, problems: [{ code: 'SYSG_CONFIG_UNREADABLE', line: null }] })
  })

  it('works as a program: exit code 5, mistakes on stderr, no stack', { timeout: 30_000 }, async () => {
    const cwd = tempFolder({ 'sysg.config.ts': 'enum Color { Red }\nexport default {}' })
    const main = new URL('../../../cli/src/main.ts', import.meta.url).href
    const script = `await (await import('${main}')).main(['validate'])`
    const args = ['--conditions=systemg-source', '--input-type=module', '-e', script]
    const { code, stdout, stderr } = await new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
      execFile(process.execPath, args, { cwd, env: {} }, (error, stdout, stderr) =>
        resolve({ code: error?.code, stdout, stderr }),
      )
    })
    expect({ code, stdout }).toEqual({ code: 5, stdout: '' })
    expect(stderr).toBe(`sysg.config.ts:1:1
  1 | enum Color { Red }
    | ^^^^^^^^^^^^^^^^^^
  The config has a TypeScript enum, which can't be run as it stands.
  Node strips types only: no enum, namespace, parameter property. An object \`as const\` does for an enum.
  SYSG_CONFIG_TS_SYNTAX

1 mistake in sysg.config.ts
`)
  })
})
