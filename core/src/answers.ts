/** What the taps of a hook may answer. Anything else is a mistake of its plugin, and must not get into the core. */
import type { Hooks } from './hooks.ts'

/** What fits, for the machine and in words. */
export interface AnswerForm {
  readonly fits: (answer: unknown) => boolean
  readonly words: string
}

type Fields = Readonly<Record<string, (value: unknown) => boolean>>

const isText = (value: unknown): boolean => typeof value === 'string'
const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isNumber = (value: unknown): boolean => Number.isFinite(value)
const isDelay = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0
const isFunction = (value: unknown): boolean => typeof value === 'function'
const isListOf = (fits: (item: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(fits)
const isMapOf = (fits: (item: unknown) => boolean) => (value: unknown) =>
  isMap(value) && Object.values(value).every(fits)
const has = (fields: Fields) => (value: unknown) =>
  isMap(value) && Object.entries(fields).every(([name, fits]) => fits(value[name]))
const either =
  (...forms: readonly ((value: unknown) => boolean)[]) =>
  (value: unknown) =>
    forms.some((fits) => fits(value))
const is =
  (...values: readonly unknown[]) =>
  (value: unknown) =>
    values.includes(value)
const isStream = either(is('null', 'inherit'), isMap)

/** For every hook whose answer counts. */
export const answerForms = {
  boot: {
    fits: has({
      lastSeq: isNumber,
      intents: isMap,
      instances: isListOf(isMap),
      outcomes: isListOf(isMap),
      adHoc: isListOf(isMap),
    }),
    words: 'the state it was given, and more',
  },
  settled: { fits: isListOf(isText), words: 'a list of sentences' },
  plan: {
    fits: has({ mode: is('scheduled', 'skip'), reason: isText }),
    words: "`{ mode: 'scheduled' | 'skip', reason }`",
  },
  environment: { fits: has({ env: isMapOf(isText) }), words: '`{ env }`, a map of texts' },
  prepare: {
    fits: has({
      argv: (value) => Array.isArray(value) && value.length > 0 && value.every(isText),
      env: isMapOf(isText),
      cwd: isText,
      stdout: isStream,
      stderr: isStream,
      inherit: isListOf(isMap),
    }),
    words: 'a launch spec: `argv`, `env`, `cwd`, `stdout`, `stderr`, `inherit`',
  },
  launch: {
    fits: either(has({ tree: isMap, exited: has({ then: isFunction }) }), has({ errno: isText, message: isText })),
    words: 'what `host.processes.spawn` gives',
  },
  ready: { fits: isListOf(has({ name: isText, open: isFunction })), words: 'a list of gates: `{ name, open }`' },
  exited: { fits: isListOf(isText), words: 'a list of lines' },
  retry: { fits: either(has({ delayMs: isDelay }), has({ giveUp: isText })), words: '`{ delayMs }` or `{ giveUp }`' },
  replace: { fits: has({ name: isText, run: isFunction }), words: 'a strategy: `{ name, run }`' },
  ending: { fits: isListOf(has({ then: isFunction })), words: 'a list of promises' },
  view: {
    fits: has({ name: isText, state: isText, instances: isListOf(isMap) }),
    words: 'the view it was given, and more',
  },
  inspect: {
    fits: has({
      name: isText,
      config: isMap,
      tree: isListOf(isMap),
      sections: isListOf(has({ title: isText, lines: isListOf(isText) })),
    }),
    words: 'what it was given, and more',
  },
} satisfies Partial<Record<keyof Hooks, AnswerForm>>

/** An answer in a few words, for a message. */
export const answerInWords = (answer: unknown): string => {
  if (answer === null) return 'null'
  if (Array.isArray(answer)) return 'a list'
  if (typeof answer === 'object') {
    const names = Object.keys(answer).slice(0, 5)
    return names.length === 0 ? 'an empty object' : `an object with ${names.map((name) => `\`${name}\``).join(', ')}`
  }
  if (typeof answer === 'string') return JSON.stringify(answer.slice(0, 40))
  return typeof answer === 'function' || typeof answer === 'symbol' ? `a ${typeof answer}` : `${answer as number}`
}
