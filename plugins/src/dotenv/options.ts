/** The key `env`, of the system and of a service. */
import { z } from 'zod'

const name = z
  .string()
  .min(1, 'A variable needs a name')
  .refine((text) => !/[=\0]/.test(text), 'A name of a variable cannot hold `=` or a NUL byte')

const value = z.union([
  z.string().refine((text) => !text.includes('\0'), 'A variable cannot hold a NUL byte'),
  z
    .number()
    .refine((number) => !Number.isInteger(number) || Number.isSafeInteger(number), 'Put so long a number in quotes')
    .transform(String),
  z.boolean().transform(String),
  z.null(),
])

const vars = z
  .record(name, value)
  .default({})
  .describe('Variables by name. Numbers and booleans become text; `null` takes a variable away.')

const file = z
  .union([z.string().min(1), z.array(z.string().min(1))])
  .default([])
  .transform((written) => (typeof written === 'string' ? [written] : written))
  .describe('`.env` files, read at each start; later ones win. Relative to the folder of the config.')

export const systemEnv = z.strictObject({ vars, file }).prefault({}).describe('Environment of every service.')

export const serviceEnv = z
  .strictObject({
    vars,
    file,
    inherit: z
      .boolean()
      .default(true)
      .describe(
        'Pass on the environment of the supervisor; otherwise only what a login gives, such as `PATH` and `HOME`.',
      ),
    strip: z
      .array(z.string().min(1))
      .default([])
      .describe('Variables not to take from outside the service; `*` stands for any text.'),
  })
  .prefault({})
  .describe('Environment of the service.')

export const system = { env: systemEnv }
export const service = { env: serviceEnv }
