import { describe, expect, it } from 'vitest'
import { command } from '../../../cli/src/commands/graph.ts'
import { runCommand, type RunOptions } from '../config/run-command.ts'
import { tempFolder } from '../config/temp-folder.ts'

const shop = `project: { id: shop, name: 'the "shop" \\ here' }
services:
  db: { command: x }
  cache: { command: x }
  end: { command: x }
  my.api:
    command: x
    depends_on:
      db: {}
      end: { condition: completed }
      cache: { condition: started, on_failure: ignore }
  web: { command: x, depends_on: [my.api, db] }
`

const graph = (options: Partial<RunOptions> = {}, text = shop) =>
  runCommand(command, { cwd: tempFolder({ 'systemg.yaml': text }), ...options })

describe('sysg graph', () => {
  it('shows layers, and what each service comes after', async () => {
    expect(await graph()).toEqual({
      code: 0,
      err: '',
      out: `1  db
   cache
   end
2  my.api  after db, end (completed), cache (started, may fail)
3  web     after my.api, db
`,
    })
  })

  it('fits 60 columns, with names of any usual length', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `a-service-of-some-length-${index}`)
    const services = names.map(
      (name, index) => `  ${name}: { command: x, depends_on: [${names.slice(0, index).join(', ')}] }`,
    )
    const { out } = await graph({ columns: 60 }, `services:\n${services.join('\n')}`)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60)
    for (const name of names) expect(out).toContain(name)
    expect(out.match(/after/g)).toHaveLength(11)
  })

  it('draws Mermaid in which no name means anything else', async () => {
    expect((await graph({ values: { format: 'mermaid' } })).out).toBe(`flowchart LR
  s0["db"]
  s1["cache"]
  s2["end"]
  s3["my.api"]
  s4["web"]
  s3 --> s0
  s3 -->|completed| s2
  s3 -.->|started, may fail| s1
  s4 --> s3
  s4 --> s0
`)
  })

  it('draws DOT with quoted names', async () => {
    const { out } = await graph({ values: { format: 'dot' } })
    expect(out).toContain('digraph "the \\"shop\\" \\\\ here" {\n')
    expect(out).toContain('  "my.api" -> "db"\n')
    expect(out).toContain('  "my.api" -> "end" [label="completed"]\n')
    expect(out).toContain('  "my.api" -> "cache" [label="started, may fail", style=dashed]\n')
  })

  it('prints JSON with --format json and with --json', async () => {
    const { out } = await graph({ values: { format: 'json' } })
    expect(JSON.parse(out)).toEqual({
      services: [
        { name: 'db', depends_on: [] },
        { name: 'cache', depends_on: [] },
        { name: 'end', depends_on: [] },
        {
          name: 'my.api',
          depends_on: [
            { name: 'db', condition: 'ready' },
            { name: 'end', condition: 'completed' },
            { name: 'cache', condition: 'started' },
          ],
        },
        {
          name: 'web',
          depends_on: [
            { name: 'my.api', condition: 'ready' },
            { name: 'db', condition: 'ready' },
          ],
        },
      ],
      layers: [['db', 'cache', 'end'], ['my.api'], ['web']],
    })
    expect((await graph({ globals: { json: true } })).out).toBe(out)
  })

  it('shows only what the named services need', async () => {
    const { out } = await graph({ positionals: ['my.api'] })
    expect(out).not.toContain('web')
    expect(out).toContain('my.api')
    expect(await graph({ positionals: ['wbe'] })).toMatchObject({ code: 4, out: '' })
  })

  it('refuses an unknown format, and reports a config with mistakes', async () => {
    expect(await graph({ values: { format: 'svg' } })).toMatchObject({ code: 2, out: '' })
    const cycle = 'services: { a: { command: x, depends_on: [b] }, b: { command: x, depends_on: [a] } }'
    const { code, out, err } = await graph({}, cycle)
    expect({ code, out }).toEqual({ code: 5, out: '' })
    expect(err).toContain('a → b → a')
  })

  it('says so when there are no services', async () => {
    expect((await graph({}, 'services: {}')).out).toBe('No services.\n')
  })
})
