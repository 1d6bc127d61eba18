import { expect, it } from 'vitest'
import { connectInside } from '../../../cli/src/client/inside.ts'

const inside = { SYSG_TOKEN: 't', SYSG_SOCKET: '/nowhere/control.sock', SYSG_PROJECT: 'shop' }

it.each([
  [{}, '`SYSG_TOKEN`, `SYSG_SOCKET`, `SYSG_PROJECT` are not'],
  [{ ...inside, SYSG_PROJECT: undefined }, '`SYSG_PROJECT` is not'],
  [{ ...inside, SYSG_TOKEN: undefined, SYSG_SOCKET: undefined }, '`SYSG_TOKEN`, `SYSG_SOCKET` are not'],
] as const)('names what the environment lacks: %j', async (env, lack) => {
  await expect(connectInside(env, 'SYSG_SPAWN_OUTSIDE')).rejects.toMatchObject({
    code: 'SYSG_SPAWN_OUTSIDE',
    message: `This is not inside of a service: ${lack} in the environment.`,
  })
})
