import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { jsonSchema, parseDuration, parseSize, size } from '../../../core/src/config/index.ts'
import { definePlugin } from '../../../core/src/plugin.ts'

interface JsonSchema {
  readonly properties: Record<string, JsonSchema>
  readonly additionalProperties: JsonSchema | boolean
  readonly type?: unknown
  readonly pattern?: string
  readonly anyOf?: readonly JsonSchema[]
  readonly description?: string
  readonly default?: unknown
}

describe('jsonSchema', async () => {
  const schema = (await jsonSchema([
    {
      plugin: definePlugin({
        name: 'p',
        service: { memory: size.optional(), colour: z.enum(['red', 'green']).optional().describe('How it looks.') },
      }),
    },
  ])) as unknown as JsonSchema
  const service = schema.properties.services?.additionalProperties as JsonSchema

  it('takes durations and sizes as text or numbers, defaults in the notation of users', () => {
    expect(service.properties.stop_timeout?.type).toEqual(['string', 'number'])
    expect(service.properties.memory?.type).toEqual(['string', 'number'])
    expect(service.properties.startup_grace?.default).toBe('250ms')
  })

  it('knows no other keys, and describes every one', () => {
    expect(schema.additionalProperties).toBe(false)
    expect(service.additionalProperties).toBe(false)
    const described = [...Object.entries(schema.properties), ...Object.entries(service.properties)]
    expect(described.filter(([, { description }]) => description === undefined).map(([key]) => key)).toEqual([])
  })

  it('is JSON', () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
  })

  it('lets a reference stand for every value that is no map and no list', () => {
    const { properties } = service
    const taken = (name: string, value: unknown) =>
      z.fromJSONSchema(properties[name] as z.core.JSONSchema.JSONSchema).safeParse(value).success
    for (const name of ['replicas', 'stop_timeout', 'memory', 'skip', 'colour']) {
      expect([name, taken(name, '${X:-1}')]).toEqual([name, true])
      expect([name, taken(name, {})]).toEqual([name, false])
    }
    expect([taken('replicas', 2), taken('replicas', '2'), taken('replicas', -1)]).toEqual([true, false, false])
    expect([taken('colour', 'red'), taken('colour', 'rde')]).toEqual([true, false])
    expect([taken('stop_timeout', '1m30s'), taken('stop_timeout', 'soon')]).toEqual([true, false])
    expect([taken('memory', '1.5 GiB'), taken('memory', '10q')]).toEqual([true, false])
  })

  it('has patterns that take whatever is a duration or a size', () => {
    const matches = (name: string, text: string) =>
      new RegExp(String(service.properties[name]?.pattern), 'u').test(text)
    const part = fc.stringMatching(/^\s?[0-9]{0,3}(\.[0-9])?\s?([a-zA-Z]{0,3}|days?|minutes?|[smhd]|ms|[KMGT]i?B?)\s?$/)
    const parts = fc.array(part, { minLength: 1, maxLength: 3 }).map((all) => all.join(''))
    let taken = 0
    fc.assert(
      fc.property(parts, (text) => {
        if (parseDuration(text) !== undefined)
          expect([text, matches('stop_timeout', text), (taken += 1) > 0]).toEqual([text, true, true])
        if (parseSize(text) !== undefined) expect([text, matches('memory', text)]).toEqual([text, true])
      }),
      { numRuns: 2000 },
    )
    expect(taken).toBeGreaterThan(50)
  })

  it('leaves the names of services alone', () => {
    expect(
      JSON.stringify((schema.properties.services as unknown as { propertyNames: unknown }).propertyNames),
    ).not.toContain('|')
  })
})
