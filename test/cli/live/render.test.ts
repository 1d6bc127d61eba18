import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { styleText } from 'node:util'
import { render, roomFor } from '../../../cli/src/live/render.ts'
import { stripped, widthOf } from '../../../cli/src/terminal/text.ts'
import { service, shop } from '../terminal/services.ts'
import { after, family, many, seen } from './services.ts'

const plainLook = (columns: number, rows: number) => ({ columns, rows, paint: (_style: unknown, text: string) => text })
const colourLook = (columns: number, rows: number) => ({
  columns,
  rows,
  paint: (style: Parameters<typeof styleText>[0], text: string) => styleText(style, text, { validateStream: false }),
})

const shown = (columns: number, rows: number, messages: Parameters<typeof after>[0]) => {
  const { model } = after([{ kind: 'room', rows: roomFor(rows).rows }, ...messages])
  return render(model, plainLook(columns, rows))
}

const picture = (lines: readonly string[]) => `\n${lines.map((line) => line.trimEnd()).join('\n')}\n`

describe('the picture', () => {
  it('has the services, their states and why, and what keys do', () => {
    expect(picture(shown(100, 12, [seen(shop), 'j', 'j']))).toMatchInlineSnapshot(`
      "
      shop  supervisor 4711, up 1m30s, systemg 0.1.0
        NAME         STATE      HEALTH       PID  UPTIME  RESTARTS  WHY
        store        running    healthy     4720   5m12s         0
        migrate      completed  -              -       -         0  5m ago
      > api          backoff    -              -       -        12  restart in 4s: exit code 1, \`Error: l…
        worker       blocked    -              -       -         0  api is in backoff: exit code 1, \`Erro…
        mailer       unhealthy  unhealthy  31337      2h         0  status 503
        reports      scheduled  -              -       -         0  next run in 4m
        cache.local  stopped    -              -       -         0  stopped by you (3d ago)

      7 services: 1 running, 1 completed, 1 scheduled, 1 blocked, 1 backoff, 1 unhealthy, 1 stopped
      enter inspect  ? help  q quit  l logs  r restart  s stop/start  / find
      "
    `)
  })

  it('on a narrow terminal keeps names, states and reasons', () => {
    expect(picture(shown(40, 10, [seen(shop)]))).toMatchInlineSnapshot(`
      "
      shop  supervisor 4711, up 1m30s, system…
        NAME         STATE      WHY
      > store        running
        migrate      completed  5m ago
        api          backoff    restart in 4s…
        worker       blocked    api is in bac…
        mailer       unhealthy  status 503
        reports      scheduled  next run in 4m
      1–6 of 7  7 services: 1 running, 1 comp…
      enter inspect  ? help  q quit  l logs  …
      "
    `)
  })

  it('has children below their parent, as `status` has', () => {
    expect(picture(shown(80, 10, [seen(family), 'j', 'j']))).toMatchInlineSnapshot(`
      "
      shop  supervisor 4711, up 1m30s, systemg 0.1.0
        NAME          STATE    HEALTH  PID  UPTIME  RESTARTS  WHY
        pool          running  -        11      1s         0
        └ pool:w1     running           12
      >   └ pool:w1a  running           13
        └ pool:w2     running           14                    ends in 1m
        web           running  -        20      1s         0

      2 services: 2 running
      enter inspect  ? help  q quit  l logs  r restart  s stop/start  / find
      "
    `)
  })

  it('scrolls through children, and counts them among lines, not among services', () => {
    const lines = shown(80, 7, [seen(family), 'j', 'j', 'j'])
    expect(lines.slice(2, 5).map((line) => line.split(' running')[0]?.trimEnd())).toEqual([
      '  └ pool:w1',
      '    └ pool:w1a',
      '> └ pool:w2',
    ])
    expect(lines[5]?.trimEnd()).toBe('2–4 of 5  2 services: 2 running')
  })

  it('of many services is a part, and says which', () => {
    expect(picture(shown(60, 8, [seen(many(500)), 'G']))).toMatchInlineSnapshot(`
      "
      shop  supervisor 4711, up 1m30s, systemg 0.1.0
        NAME  STATE    HEALTH  PID  UPTIME  RESTARTS  WHY
        s496  running  -         -       -         0
        s497  running  -         -       -         0
        s498  running  -         -       -         0
      > s499  running  -         -       -         0
      497–500 of 500  500 services: 500 running
      enter inspect  ? help  q quit  l logs  r restart  s stop/st…
      "
    `)
  })

  it.each([1, 2, 3, 4, 5])('of %i rows shows the selected one', (rows) => {
    const lines = shown(80, rows, [seen(many(20)), 'G'])
    expect(lines).toHaveLength(rows)
    expect(lines.filter((line) => line.startsWith('> s19'))).toHaveLength(1)
  })

  it('asks, finds, tells and says that nobody answers', () => {
    expect(shown(80, 10, [seen(shop), 'r']).at(-2)).toBe('restart store? y / n')
    expect(shown(80, 10, [seen(shop), '/', 'a', 'p']).at(-2)).toBe('/ap_')
    expect(shown(80, 10, [seen(shop), '/', 'a', 'p', 'enter']).at(-2)).toMatch(/^\/ap: 1 of 7 services/)
    expect(shown(80, 10, [seen(shop), { kind: 'note', text: 'api is restarted.', isBad: false }]).at(-2)).toBe(
      'api is restarted.',
    )
    expect(shown(80, 10, [seen(shop), { kind: 'lost', why: 'The supervisor is gone; waiting.' }])[0]).toBe(
      'shop  The supervisor is gone; waiting.',
    )
    expect(shown(80, 10, [seen([])])[2]).toBe('  No services.')
    expect(shown(80, 10, [seen(shop), '/', 'z'])[2]).toBe('  No service has that name.')
  })

  it('of the logs of a service has the newest lines, or those that one looks back at', () => {
    const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`)
    const log = { kind: 'log', service: 'store', lines } as const
    expect(shown(80, 9, [seen(shop), 'l', log]).slice(1)).toEqual([
      'logs of store',
      ...['line 25', 'line 26', 'line 27', 'line 28', 'line 29'],
      'following',
      'q back  ↑↓ scroll  G follow',
    ])
    expect(shown(80, 9, [seen(shop), 'l', log, 'k', 'k']).slice(2, 8)).toEqual([
      ...['line 23', 'line 24', 'line 25', 'line 26', 'line 27'],
      '2 lines below',
    ])
    expect(shown(80, 9, [seen(shop), 'l', log, 'g']).slice(2, 3)).toEqual(['line 0'])
  })

  it('is never larger than the screen, in colours or without, whatever there is to show', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 60 })
    const anyService = fc.record({
      name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/),
      state: fc.constantFrom('running', 'backoff', 'failed', 'running (unsupervised)'),
      reason: fc.option(text),
      pid: fc.option(fc.nat(4_000_000)),
      restarts: fc.nat(100_000),
    })
    const key = fc.constantFrom('j', 'G', 'l', 'enter', '?', '/', 'r', 'x', 'q')
    fc.assert(
      fc.property(
        fc.array(anyService, { maxLength: 30 }),
        fc.array(key, { maxLength: 6 }),
        fc.integer({ min: 1, max: 250 }),
        fc.integer({ min: 1, max: 60 }),
        text,
        (services, keys, columns, rows, words) => {
          const { model } = after([
            { kind: 'room', rows: roomFor(rows).rows },
            seen(services.map(({ name, ...set }) => service(name, set))),
            ...keys,
            {
              kind: 'log',
              service: services[0]?.name ?? '',
              lines: [words.replaceAll(/[\u0000-\u001F\u007F-\u009F]/g, '')],
            },
            { kind: 'note', text: words, isBad: true },
          ])
          for (const look of [plainLook(columns, rows), colourLook(columns, rows)]) {
            const lines = render(model, look)
            expect(lines.length).toBeLessThanOrEqual(rows)
            for (const line of lines) expect(widthOf(stripped(line)), JSON.stringify(line)).toBeLessThanOrEqual(columns)
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
