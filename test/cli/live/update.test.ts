import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { emptyModel, mostLines, selectedRow, shownRows } from '../../../cli/src/live/model.ts'
import { update, type Message } from '../../../cli/src/live/update.ts'
import { service } from '../terminal/services.ts'
import { after, child, family, many, seen } from './services.ts'

const room = (rows: number): Message => ({ kind: 'room', rows })
const five = [room(3), seen(many(5))]

describe('the live view', () => {
  it('selects with arrows and letters, and scrolls no further than it must', () => {
    const at = (...keys: readonly string[]) => {
      const { model } = after([...five, ...keys])
      return [model.selected, model.top]
    }
    expect(at()).toEqual(['s0', 0])
    expect(at('down', 'j')).toEqual(['s2', 0])
    expect(at('j', 'j', 'j')).toEqual(['s3', 1])
    expect(at('G')).toEqual(['s4', 2])
    expect(at('G', 'k', 'up')).toEqual(['s2', 2])
    expect(at('G', 'home')).toEqual(['s0', 0])
    expect(at('page-down')).toEqual(['s3', 1])
    expect(at('up', 'page-up')).toEqual(['s0', 0])
  })

  it('is also about children, by what commands know them by', () => {
    const { model } = after([room(3), seen(family), 'j', 'j', 'j'])
    expect([model.selected, model.top]).toEqual(['pool:w2', 1])
    expect(after(['enter', seen(family)], model).effects).toEqual([
      { kind: 'inspect', asked: 'pool:w2' },
      { kind: 'inspect', asked: 'pool:w2' },
    ])
    expect(after(['l'], model).effects).toEqual([{ kind: 'logs', service: 'pool:w2' }])
    expect(after(['s', 'y'], model).effects).toEqual([{ kind: 'do', action: { kind: 'stop', service: 'pool:w2' } }])
    expect(after(['j'], model).model.selected).toBe('web')
  })

  it('says at once that a child is not restarted, and who can start it anew', () => {
    const { model } = after([room(3), seen(family), 'j'])
    const asked = after(['r'], model)
    expect([asked.model.asked, asked.effects]).toEqual([undefined, []])
    expect(asked.model.note).toEqual({ text: 'A child runs once: its parent starts it.', isBad: false })
    expect(after(['enter', 'r'], model).model.note?.text).toContain('A child runs once')
    expect(after(['k', 'r'], model).model.asked).toEqual({ kind: 'restart', service: 'pool' })
  })

  it('finds a child, with its family', () => {
    const { model } = after([room(9), seen(family), '/', 'w', '1', 'a', 'enter'])
    expect(shownRows(model).map(({ service: name }) => name)).toEqual(['pool', 'pool:w1', 'pool:w1a', 'pool:w2'])
    const twins = ['pool:k', 'pool:k~2'].map((full) => child('k', 15, { service: full }))
    const twice = after([room(9), seen([service('pool', { children: twins })]), '/', '~', '2', 'enter'])
    expect(shownRows(twice.model).map(({ service: name }) => name)).toEqual(['pool', 'pool:k', 'pool:k~2'])
  })

  it('keeps the service selected while others come and go, and takes the next one when it goes', () => {
    const begin = after([...five, 'j', 'j']).model
    expect(after([seen([service('new'), ...many(5)])], begin).model.selected).toBe('s2')
    expect(after([seen(many(5).filter(({ name }) => name !== 's2'))], begin).model.selected).toBe('s3')
    expect(after([seen(many(1))], begin).model.selected).toBe('s0')
    expect(after([seen([])], begin).model.selected).toBeUndefined()
  })

  it('shows more when there is more room', () => {
    const { model } = after([...five, 'G', room(10)])
    expect([model.selected, model.top]).toEqual(['s4', 0])
  })

  it('inspects, again whenever somebody has looked, and comes back', () => {
    const { model, effects } = after([
      ...five,
      'j',
      'enter',
      seen(many(5)),
      { kind: 'detail', asked: 's1', lines: ['x'] },
    ])
    expect(model.pane).toMatchObject({ kind: 'detail', service: 's1', asked: 's1', lines: ['x'], top: 0 })
    expect(effects).toEqual([
      { kind: 'inspect', asked: 's1' },
      { kind: 'inspect', asked: 's1' },
    ])
    expect(after(['q'], model).model.pane).toEqual({ kind: 'table' })
    expect(after([{ kind: 'detail', asked: 's4', lines: ['late'] }], model).model).toEqual(model)
  })

  it('that begins with one service or instance looks at that again and again, and ends when it is left', () => {
    const pane = { kind: 'detail', service: 's1', asked: 's1-4', lines: [], top: 0, isFirst: true } as const
    const { model, effects } = after([room(3), seen(many(5)), 'down'], { ...emptyModel('shop'), pane })
    expect(effects).toEqual([{ kind: 'inspect', asked: 's1-4' }])
    expect(after(['q'], model).effects).toEqual([{ kind: 'quit' }])
    // An instance has no line of its own.
    expect(after([seen([])], model).effects).toEqual([{ kind: 'inspect', asked: 's1-4' }])
  })

  it('follows the logs of a service, looks back, and keeps no more than it says', () => {
    const log = (count: number, word = 'x'): Message => ({
      kind: 'log',
      service: 's0',
      lines: Array.from({ length: count }, (_, index) => `${word}${index}`),
    })
    const followed = after([...five, 'l', log(10)])
    expect(followed.effects).toEqual([{ kind: 'logs', service: 's0' }])
    const back = after(['up', 'k'], followed.model).model
    expect(back.pane).toMatchObject({ back: 2 })
    expect(after([log(5)], back).model.pane).toMatchObject({ back: 7 })
    expect(after([log(5), 'G'], back).model.pane).toMatchObject({ back: 0 })
    const full = after([log(mostLines + 50, 'y')], followed.model).model.pane
    expect(full).toMatchObject({ back: 0 })
    expect('lines' in full && full.lines).toHaveLength(mostLines)
    const closed = after(['q', log(3)], followed.model)
    expect(closed.model.pane).toEqual({ kind: 'table' })
    expect(closed.effects).toEqual([{ kind: 'no-logs' }])
  })

  it.each([
    ['r', 'running', 'y', { kind: 'restart', service: 'api' }],
    ['r', 'failed', 'enter', { kind: 'restart', service: 'api' }],
    ['s', 'running', 'y', { kind: 'stop', service: 'api' }],
    ['s', 'backoff', 'Y', { kind: 'stop', service: 'api' }],
  ])('asks before %j does something to what is %s', (key, state, answer, action) => {
    const begin = after([room(3), seen([service('api', { state })]), key])
    expect(begin.model.asked).toEqual(action)
    expect(begin.effects).toEqual([])
    expect(after([answer], begin.model).effects).toEqual([{ kind: 'do', action }])
    expect(after(['n'], begin.model)).toMatchObject({ effects: [], model: { asked: undefined } })
    // A key that means something else is no answer.
    expect(after(['q'], begin.model)).toMatchObject({
      effects: [],
      model: { asked: undefined, pane: { kind: 'table' } },
    })
  })

  it('starts what is down without asking, and says what came of it until the next key', () => {
    const { model, effects } = after([seen([service('api', { state: 'stopped' })]), 's'])
    expect(effects).toEqual([{ kind: 'do', action: { kind: 'start', service: 'api' } }])
    expect(model.note).toEqual({ text: 'starting api …', isBad: false })
    const told = after([{ kind: 'note', text: 'api is started.', isBad: false }], model).model
    expect(told.note?.text).toBe('api is started.')
    expect(after(['j'], told).model.note).toBeUndefined()
  })

  it('finds by name', () => {
    const typed = after([room(3), seen([...many(20), service('API')]), '/', 'a', 'x', 'backspace', 'q'])
    expect(typed.effects).toEqual([])
    expect(shownRows(typed.model)).toEqual([])
    const found = after(['backspace', 'enter'], typed.model).model
    expect(shownRows(found).map(({ service: name }) => name)).toEqual(['API'])
    expect(found.selected).toBe('API')
    expect(after(['r'], found).model.asked).toEqual({ kind: 'restart', service: 'API' })
    const all = after(['escape'], found)
    expect(shownRows(all.model)).toHaveLength(21)
    expect(all.effects).toEqual([])
    expect(all.model.selected).toBe('API')
  })

  it.each([
    ['q', 'quit'],
    ['escape', 'quit'],
    ['ctrl-c', 'quit'],
    ['ctrl-z', 'suspend'],
    ['ctrl-l', 'redraw'],
  ])('%s is to %s', (key, kind) => {
    expect(after([...five, key]).effects).toEqual([{ kind }])
  })

  it('ends by Ctrl-C wherever it is', () => {
    for (const keys of [['/', 'a'], ['r'], ['l'], ['enter'], ['?']])
      expect(after([...five, ...keys, 'ctrl-c']).effects.at(-1)).toEqual({ kind: 'quit' })
  })

  it('says that the supervisor is gone until another one answers', () => {
    const { model } = after([...five, { kind: 'lost', why: 'gone' }])
    expect(model.lost).toBe('gone')
    expect(model.services).toHaveLength(5)
    expect(after([seen(many(2))], model).model.lost).toBeUndefined()
  })

  it('always has a selected row within what is shown, and in sight', () => {
    const message = fc.oneof(
      fc.constantFrom(
        ...'jkgGlrsyq/?x '.split(''),
        'up',
        'down',
        'page-up',
        'page-down',
        'end',
        'escape',
        'enter',
        'backspace',
      ),
      fc.nat(40).map((count) => seen(many(count))),
      fc.constant(seen(family)),
      fc.nat(12).map(room),
    )
    fc.assert(
      fc.property(fc.array(message, { maxLength: 60 }), (messages) => {
        let model = emptyModel('shop')
        for (const one of messages) {
          ;[model] = update(model, typeof one === 'string' ? { kind: 'key', key: one } : one)
          const shown = shownRows(model)
          if (shown.length > 0) expect(shown.map(({ service: name }) => name)).toContain(model.selected)
          expect(model.top).toBeGreaterThanOrEqual(0)
          expect(selectedRow(model)).toBeGreaterThanOrEqual(model.top)
          expect(selectedRow(model)).toBeLessThan(model.top + model.roomRows)
        }
      }),
    )
  })
})
