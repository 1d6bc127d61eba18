import { styleText } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { changes } from '../../../cli/src/live/changes.ts'
import { render, roomFor } from '../../../cli/src/live/render.ts'
import { after, many, seen } from './services.ts'

const esc = '\u001B['

/** A screen that knows just what is written to it: where to write, what to erase, colours. */
const screen = (columns: number, rows: number) => {
  const cells = Array.from({ length: rows }, () => Array.from({ length: columns }, () => ' '))
  let [row, column, colours] = [0, 0, '']
  return {
    write(text: string) {
      for (const [token, at = '', over = '', command = ''] of text.matchAll(/\u001B\[(\d*);?(\d*)([mHK])|[^]/gu)) {
        if (command === 'H') [row, column] = [Number(at) - 1, Number(over) - 1]
        else if (command === 'K') cells[row]?.fill(' ', column)
        else if (command === 'm') colours = ['39', '22', '27', ''].includes(at) ? '' : colours + token
        else {
          const line = cells[row]
          if (line !== undefined && column < columns) line[column] = colours + token
          column += 1
        }
      }
    },
    get picture() {
      return cells.map((line) => line.join('|'))
    },
  }
}

describe('what is written', () => {
  it.each([
    [['a', 'bcd', 'e'], ['a', 'bXd', 'e'], `${esc}2;2HX`],
    [['a', 'b'], ['a', 'b'], ''],
    [['a', 'b'], ['a'], `${esc}2;1H${esc}K`],
    [['up 1s ok'], ['up 12s ok'], `${esc}1;5H2s ok`],
    [['abc'], ['ab'], `${esc}1;3H${esc}K`],
    [[], ['abcd'], `${esc}1;1Habcd`],
  ])('of %j to %j is the part that differs', (before, next, text) => {
    expect(changes(before, next, 4)).toBe(text)
  })

  it('is the whole line where a character may be wide', () => {
    expect(changes(['日本 a'], ['日本 b'], 10)).toBe(`${esc}1;1H日本 b${esc}K`)
    expect(changes(['日本 a'], ['日本 b'], 6)).toBe(`${esc}1;1H日本 b`)
  })

  it('makes the same picture as writing everything would, colours and all', () => {
    const paint = (style: 'red' | 'bold' | 'inverse', text: string) => styleText(style, text, { validateStream: false })
    const part = fc.oneof(
      fc.stringMatching(/^[a-c ]{1,4}$/),
      fc
        .tuple(fc.constantFrom('red', 'bold', 'inverse'), fc.stringMatching(/^[a-c]{1,4}$/))
        .map((args) => paint(...args)),
    )
    const line = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(''))
    const lines = fc.array(line, { maxLength: 4 })
    fc.assert(
      fc.property(lines, lines, (before, next) => {
        const [changed, written] = [screen(20, 4), screen(20, 4)]
        changed.write(changes([], before, 20))
        changed.write(changes(before, next, 20))
        written.write(changes([], next, 20))
        expect(changed.picture).toEqual(written.picture)
      }),
    )
  })

  it('is little when time passes and one of many services changes', () => {
    const look = { columns: 120, rows: 40, paint: (_style: unknown, text: string) => text }
    const shown = (uptimeMs: number, state: string) => {
      const services = many(500).map((one) => ({ ...one, pid: 4_711, uptime_ms: uptimeMs }))
      const changed = services.map((one) => (one.name === 's7' ? { ...one, state } : one))
      return render(after([{ kind: 'room', rows: roomFor(40).rows }, seen(changed)]).model, look)
    }
    const first = changes([], shown(11_000, 'running'), 120).length
    expect(changes(shown(11_000, 'running'), shown(12_000, 'stopped'), 120).length).toBeLessThan(first / 4)
  })
})
