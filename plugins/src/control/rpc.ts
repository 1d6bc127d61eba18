/** JSON-RPC 2.0 messages: what is one, and what goes wrong with those that are not. Pure. */
import { SysgError, whyOf } from '@systemg/core'
import * as z from 'zod/mini'

// The small form of zod has no words of its own.
z.config(z.locales.en())

/** @see https://www.jsonrpc.org/specification#error_object */
const rpcCodes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  /** A `SysgError`; `data.code` says which. */
  systemError: -32_000,
} as const

export type RequestId = string | number

export interface RpcRequest {
  readonly id: RequestId
  readonly method: string
  readonly params: unknown
}

export interface RpcError {
  readonly code: number
  readonly message: string
  /** `code` is stable (`SYSG_…`); `hint` says what to do. */
  readonly data: { readonly code: string; readonly hint: string | null }
}

/** What a frame turned out to be. */
export type Incoming =
  | { readonly kind: 'request'; readonly request: RpcRequest }
  | { readonly kind: 'notification'; readonly method: string; readonly params: unknown }
  | { readonly kind: 'invalid'; readonly id: RequestId | null; readonly error: RpcError }

export const parseMessage = (text: string): Incoming => {
  let message: unknown
  try {
    message = JSON.parse(text)
  } catch {
    return invalid(null, rpcCodes.parseError, 'This is not JSON.')
  }
  if (Array.isArray(message)) return invalid(null, rpcCodes.invalidRequest, 'Batches are not supported.')
  if (typeof message !== 'object' || message === null) return invalid(null, rpcCodes.invalidRequest, notARequest)
  const { jsonrpc, id, method, params } = message as Readonly<Record<string, unknown>>
  const isId = typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id))
  if (jsonrpc !== '2.0' || typeof method !== 'string' || (id !== undefined && !isId)) {
    return invalid(isId ? id : null, rpcCodes.invalidRequest, notARequest)
  }
  return isId ? { kind: 'request', request: { id, method, params } } : { kind: 'notification', method, params }
}

export const result = (id: RequestId, value: unknown) => ({ jsonrpc: '2.0', id, result: value ?? null })

export const failure = (id: RequestId | null, error: RpcError) => ({ jsonrpc: '2.0', id, error })

/** A message about request `id` while it runs. */
export const notification = (id: RequestId, method: string, params: unknown) => {
  const isPlain = typeof params === 'object' && params !== null && !Array.isArray(params)
  return { jsonrpc: '2.0', method, params: { ...(isPlain ? params : { value: params }), id } }
}

export const methodNotFound = (method: string): RpcError =>
  rpcError(rpcCodes.methodNotFound, `There is no method \`${method.slice(0, 100)}\`.`, 'SYSG_CONTROL_METHOD_UNKNOWN')

export const idTaken = (id: RequestId): RpcError => {
  const text = `The id ${JSON.stringify(id).slice(0, 100)} belongs to a request that still runs.`
  return rpcError(rpcCodes.invalidRequest, text, 'SYSG_CONTROL_REQUEST_INVALID')
}

/** A refusal of ours that belongs to no method. */
export const refusal = (code: `SYSG_${string}`, message: string, hint: string | null = null): RpcError =>
  rpcError(rpcCodes.systemError, message, code, hint)

/** What a method threw, for the one who called it. A stack never leaves the supervisor. */
export const errorOf = (thrown: unknown): RpcError => {
  if (thrown instanceof SysgError) {
    return rpcError(rpcCodes.systemError, thrown.message, thrown.code, thrown.hint ?? null)
  }
  if (thrown instanceof z.core.$ZodError) {
    return rpcError(rpcCodes.invalidParams, wrongParams(thrown), 'SYSG_CONTROL_PARAMS_INVALID')
  }
  return rpcError(rpcCodes.internalError, `The supervisor failed to answer: ${whyOf(thrown)}.`, 'SYSG_INTERNAL')
}

const notARequest = 'This is not a JSON-RPC 2.0 request: `jsonrpc` "2.0", `method` and `id` are needed.'

const invalid = (id: RequestId | null, code: number, message: string): Incoming => ({
  kind: 'invalid',
  id,
  error: rpcError(code, message, 'SYSG_CONTROL_REQUEST_INVALID'),
})

const rpcError = (code: number, message: string, sysgCode: string, hint: string | null = null): RpcError => ({
  code,
  message,
  data: { code: sysgCode, hint },
})

/** `services.0: expected string, received number`, for each. */
const wrongParams = ({ issues }: z.core.$ZodError): string =>
  `Wrong parameters: ${issues
    .map(({ path, message }) => (path.length === 0 ? message : `\`${path.join('.')}\`: ${message}`))
    .join('; ')}.`
