import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/schema.ts'
import { runCommand } from '../config/run-command.ts'
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
})
