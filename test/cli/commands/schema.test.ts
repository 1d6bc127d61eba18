import { globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/schema.ts'
import { runCommand } from '../config/run-command.ts'
import { takesConfig } from '../config/takes-config.ts'
import { tempFolder } from '../config/temp-folder.ts'

describe('sysg schema', () => {
  it('prints the JSON Schema with the keys of the core and of plugins', async () => {
    const cwd = tempFolder({ 'systemg.yaml': 'services: { a: { command: x } }' })
    const { code, out, err } = await runCommand(command, { cwd })
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const schema = JSON.parse(out) as {
      properties: { services: { additionalProperties: { properties: Record<string, { description?: string }> } } }
    }
    const keys = schema.properties.services.additionalProperties.properties
    expect(Object.keys(keys)).toEqual(expect.arrayContaining(['command', 'depends_on', 'restart_policy', 'env']))
    expect(keys['restart_policy']?.description).toContain('Which exits bring the service back')
  })

  it('prints it also for a config with mistakes, but not when the named one is missing', async () => {
    const cwd = tempFolder({ 'systemg.yaml': 'srvices: {}' })
    expect(await runCommand(command, { cwd })).toMatchObject({ code: 0 })
    const missing = await runCommand(command, { cwd, globals: { config: join(cwd, 'nope.yaml') } })
    expect(missing).toMatchObject({ code: 5, out: '' })
  })

  it('writes it into a file with --output, in place of an earlier one', async () => {
    const cwd = tempFolder({ 'systemg.yaml': 'services: {}', 'a.json': 'earlier' })
    expect(await runCommand(command, { cwd, values: { output: 'a.json' } })).toEqual({ code: 0, out: '', err: '' })
    expect(readFileSync(join(cwd, 'a.json'), 'utf8')).toBe((await runCommand(command, { cwd })).out)
    expect(readdirSync(cwd).sort()).toEqual(['a.json', 'systemg.yaml'])
  })

  it('writes to a device, but never takes its place', async () => {
    const device = statSync('/dev/null').rdev
    expect(await runCommand(command, { cwd: tempFolder(), values: { output: '/dev/null' } })).toMatchObject({ code: 0 })
    expect(statSync('/dev/null')).toMatchObject({ rdev: device })
  })

  it('says why a file can not be written', async () => {
    const { code, err } = await runCommand(command, { cwd: tempFolder(), values: { output: 'nowhere/a.json' } })
    expect(code).toBe(1)
    expect(err).toContain("nowhere/a.json can't be written: there is no such file.\nSYSG_INIT_WRITE")
  })

  it.each(globSync('examples/*/systemg.yaml'))('takes %s, as editors read it', async (file) => {
    const { out } = await runCommand(command, { cwd: tempFolder() })
    expect(await takesConfig(out, readFileSync(file, 'utf8'))).toBe(true)
    expect(await takesConfig(out, readFileSync(file, 'utf8').replace(/^services:/m, 'srvices:'))).toBe(false)
  })
})
