/** Where a request goes, and what of that may be shown. Pure. */
import type { Webhook } from './options.ts'

export interface Target {
  /** Without name and password. */
  readonly url: string
  /** For messages: of many services the path is the secret. */
  readonly shown: string
  /** What the URL says about who asks. */
  readonly headers: Readonly<Record<string, string>>
}

export const targetOf = (text: string): Target => {
  const url = new URL(text)
  const { username, password } = url
  const isAnonymous = username === '' && password === ''
  url.username = ''
  url.password = ''
  const isRoot = (url.pathname === '/' || url.pathname === '') && url.search === ''
  return {
    url: url.href,
    shown: `${url.protocol}//${url.protocol === 'http+unix:' ? decodeURIComponent(url.host) : url.host}${isRoot ? '' : '/…'}`,
    headers: isAnonymous ? {} : { authorization: basic(decodeURIComponent(username), decodeURIComponent(password)) },
  }
}

/** What must not be shown of a webhook: its secret, its headers, and what its URL has besides the host. */
export const secretsOf = ({ url: text, secret, headers }: Webhook): readonly string[] => {
  const { username, password, pathname, search } = new URL(text)
  const parts = [username, password, pathname.slice(1), search.slice(1)]
  const values = Object.values(headers).flatMap((value) => [value, ...value.split(' ').slice(1)])
  return [text, ...parts, ...parts.map(decoded), secret ?? '', ...values].filter(({ length }) => length >= 8)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const basic = (name: string, password: string): string => {
  const bytes = new TextEncoder().encode(`${name}:${password}`)
  return `Basic ${btoa(String.fromCharCode(...bytes))}`
}
