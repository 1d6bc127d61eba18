import { once } from '@systemg/core'
import { expect, it, vi } from 'vitest'

it('makes it when it is first asked for, and never again', () => {
  const make = vi.fn(() => ({ made: true }))
  const given = once(make)
  expect(make).not.toHaveBeenCalled()
  expect(given()).toBe(given())
  expect(make).toHaveBeenCalledOnce()
})

it('remembers also that there is nothing', () => {
  const make = vi.fn<() => string | undefined>(() => undefined)
  const given = once(make)
  expect(given()).toBeUndefined()
  expect(given()).toBeUndefined()
  expect(make).toHaveBeenCalledOnce()
})
