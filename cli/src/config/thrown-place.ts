/** Where in a user's code something was thrown, as far as the error tells. */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Position } from '@systemg/core'

export const placeOfThrown = (thrown: unknown): Position | undefined => {
  if (!(thrown instanceof Error)) return undefined
  const stack = thrown.stack ?? ''
  return placeOfHead(stack) ?? placeOfImport(thrown.message) ?? placeOfFrame(stack)
}

/**
 * Mistakes of the notation come with the place, the line and a marker in front of the stack:
 *
 *     /app/sysg.config.ts:2
 *     enum Color { Red }
 *     ^^^^^^^^^^^^^^^^^^
 */
export const placeOfHead = (stack: string): Position | undefined => {
  const [head = '', ...lines] = stack.split('\n')
  const match = /^(file:\/\/\/.+|\/.+):(\d+)$/.exec(head)
  if (match === null) return undefined
  const [, written = '', line = '1'] = match
  const marker = lines.find((text) => /^\s*\^+\s*$/.test(text)) ?? ''
  const column = marker.indexOf('^') + 1
  const place = { file: pathOf(written), line: Number(line), column: Math.max(column, 1) }
  return column === 0 ? place : { ...place, endColumn: marker.trimEnd().length + 1 }
}

/** What could not be found is named in the text of the file that wanted it. */
const placeOfImport = (message: string): Position | undefined => {
  const match = /^Cannot find (?:module|package) '(.+?)' imported from (.+)$/.exec(message)
  if (match === null) return undefined
  const [, wanted = '', from = ''] = match
  const file = pathOf(from)
  const isWanted = (written: string): boolean =>
    wanted.startsWith('/') ? basename(written) === basename(wanted) : `${written}/`.startsWith(`${wanted}/`)
  for (const [index, line] of textOf(file).split('\n').entries()) {
    if (!/\b(?:from|import|require)\b/.test(line)) continue
    for (const { 2: written = '', index: quote } of line.matchAll(/(['"`])(.*?)\1/g)) {
      const column = quote + 2
      if (isWanted(written)) return { file, line: index + 1, column, endColumn: column + written.length }
    }
  }
  return { file, line: 1, column: 1 }
}

/** The innermost frame that is in the user's own code. */
const placeOfFrame = (stack: string): Position | undefined => {
  for (const frame of stack.split('\n').filter((line) => /^\s+at /.test(line))) {
    const inner = /\((.*)\)\s*$/.exec(frame)?.[1] ?? frame.replace(/^\s+at (?:async )?/, '')
    const match = /^(file:\/\/\/.+|\/.+?):(\d+):(\d+)$/.exec(inner)
    if (match === null) continue
    const [, written = '', line = '1', column = '1'] = match
    const file = pathOf(written)
    if (file.startsWith(ownFolder)) return undefined
    if (!file.includes('/node_modules/')) return { file, line: Number(line), column: Number(column) }
  }
  return undefined
}

/** What is further out than a frame of systemg was called by systemg. */
const ownFolder = fileURLToPath(import.meta.url).replace(/^(.*\/(?:src|dist)\/).*$/, '$1')

const pathOf = (written: string): string => (written.startsWith('file:') ? fileURLToPath(written) : written)

const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
