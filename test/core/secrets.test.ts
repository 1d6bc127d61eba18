import { isSecretName, masked, maskedDeep } from '@systemg/core'
import { describe, expect, it } from 'vitest'
import { maskedLine, Secrets } from '../../core/src/secrets.ts'

describe('the name of a variable', () => {
  it.each(
    [
      'PASSWORD',
      'DB_PASSWORD',
      'PGPASS',
      'API_TOKEN',
      'SECRET',
      'AWS_SECRET_ACCESS_KEY',
      'STRIPE_KEY',
      'KEY',
      'API_KEY_2',
    ].concat(['SENTRY_DSN', 'DSN', 'dbPassword', 'apiKey', 'authorization', 'X-Api-Key', 'PRIVATE_KEYS']),
  )('says that %s is a secret', (name) => {
    expect(isSecretName(name)).toBe(true)
  })

  it.each(['PATH', 'KEYBOARD', 'MONKEY', 'PORT', 'AUTHOR', 'PASSENGERS', 'HOME'])('does not say so of %s', (name) => {
    expect(isSecretName(name)).toBe(false)
  })
})

it('masks a password in a URL, and of the URL nothing else', () => {
  expect(masked('DATABASE_URL', 'postgres://api:s3cret@db:5432/shop')).toBe('postgres://api:********@db:5432/shop')
  expect(masked('DATABASE_URL', 'postgres://db:5432/shop')).toBe('postgres://db:5432/shop')
})

it('masks values of a config by their keys, however deep, and leaves names of services alone', () => {
  const config = {
    depends_on: { auth: { condition: 'ready' } },
    health_check: { options: { headers: { Authorization: 'Bearer x', Accept: '*/*' } } },
    tokens: ['one', 'two'],
    env: { vars: { PIN: 1234, PORT: 80 } },
  }
  expect(maskedDeep(config)).toEqual({
    depends_on: { auth: { condition: 'ready' } },
    health_check: { options: { headers: { Authorization: '********', Accept: '*/*' } } },
    tokens: ['********', '********'],
    env: { vars: { PIN: '********', PORT: 80 } },
  })
})

describe('values that are known to be secrets', () => {
  const secrets = new Secrets((text) => text === 'postgres')
  secrets.learn({
    API_TOKEN: 'abcdef123456',
    LONGER_TOKEN: 'abcdef123456789',
    SHORT_KEY: 'abc',
    DATABASE_URL: 'postgres://u:url-pa$$w0rd@h/db',
    POSTGRES_PASSWORD: 'postgres',
    SYSG_TOKEN: 'f00f00f00f00',
    PORT: '8080808080',
  })

  it.each([
    ['curl -H "X: abcdef123456"', 'curl -H "X: ********"'],
    ['abcdef123456789', '********'],
    ['url-pa$$w0rd is wrong', '******** is wrong'],
    ['abc 8080808080 postgres f00f00f00f00', 'abc 8080808080 postgres f00f00f00f00'],
    ['run --password=xyz --port 80', 'run --password=******** --port 80'],
    ['run --api-token xyz -v', 'run --api-token ******** -v'],
    ["PGPASSWORD='x y' psql", "PGPASSWORD='x y' psql"],
    ['PGPASSWORD=xy psql', 'PGPASSWORD=******** psql'],
    ['--token --verbose', '--token --verbose'],
    ['see https://x:hunter@y.z/', 'see https://x:********@y.z/'],
  ])('are hidden in %j', (text, shown) => {
    expect(secrets.hide(text)).toBe(shown)
  })

  it('are hidden in all of a value, but not in what says what it is', () => {
    const error = new Error('abcdef123456 is refused')
    const hidden = secrets.hideIn({ name: 'abcdef123456', at: ['abcdef123456', 5, null], error })
    expect(hidden).toMatchObject({ name: 'abcdef123456', at: ['********', 5, null] })
    expect(secrets.hideIn(['x', '--password', 'ab', '-v', '--token', '--x'])).toEqual([
      'x',
      '--password',
      '********',
      '-v',
      '--token',
      '--x',
    ])
    expect(String(hidden.error)).toContain('Error: ******** is refused')
  })
})

it.each([
  ['password: ${REDIS_PASSWORD}', 'password: ${REDIS_PASSWORD}'],
  ["{ password: '${REDIS_PASSWORD}' }, port: 1", "{ password: '${REDIS_PASSWORD}' }, port: 1"],
  ['PGPASSWORD=$PASS psql', 'PGPASSWORD=$PASS psql'],
  ['password: ${REDIS_PASSWORD:-hunter2}, a: b', 'password: **************************, a: b'],
  ["password: '${A}hunter2'", "password: '***********'"],
])('of the line %j of a config, %j is shown', (line, shown) => {
  expect(maskedLine(line)).toBe(shown)
})

it.each(['a', 'a:', ' ', 'a://', '-', '--abc ', '"\''])(
  'a text of a million %j takes as long as its length',
  (part) => {
    const secrets = new Secrets()
    secrets.learn({ API_TOKEN: 'abcdef123456' })
    const text = part.repeat(1_000_000 / part.length)
    const began = performance.now()
    maskedLine(text)
    secrets.hide(text)
    expect(performance.now() - began).toBeLessThan(5_000)
  },
)
