/**
 * Checks data that programs exchange: parameters of control methods, records of the store. Configs, which people write, have zod; that
 * takes longer to load than all that a supervisor needs to come back, and on that way there is only this.
 */

/** One thing that is wrong. `path` leads to it. */
export interface ShapeIssue {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What `parse` throws. A `ZodError` has `issues` of the same form. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'

  readonly issues: readonly ShapeIssue[]

  constructor(issues: readonly ShapeIssue[]) {
    super(issues.map(({ path, message }) => [...path, message].join(' ')).join('; '))
    this.issues = issues
  }
}

/** What a shape makes of a value: of a map also with what is missing filled in. */
export type Shaped<S> = S extends Shape<infer T> ? T : never

/** Gives back what the value stands for, having told what is wrong with it. */
type Look = (value: unknown, tell: Tell) => unknown
type Tell = (message: string, ...path: ShapeIssue['path']) => void

const into =
  (issues: ShapeIssue[]): Tell =>
  (message, ...path) =>
    void issues.push({ path, message })

export class Shape<T> {
  /** For shapes that are made of this one. */
  readonly look: Look

  constructor(look: Look) {
    this.look = look
  }

  /** @throws {ShapeError} */
  parse(value: unknown): T {
    const issues: ShapeIssue[] = []
    const found = this.look(value, into(issues))
    if (issues.length > 0) throw new ShapeError(issues)
    return found as T
  }

  /** `undefined` when anything is wrong. */
  read(value: unknown): T | undefined {
    const issues: ShapeIssue[] = []
    const found = this.look(value, into(issues))
    return issues.length > 0 ? undefined : (found as T)
  }

  optional(): Shape<T | undefined> {
    return new Shape((value, tell) => (value === undefined ? undefined : this.look(value, tell)))
  }

  nullable(): Shape<T | null> {
    return new Shape((value, tell) => (value === null ? null : this.look(value, tell)))
  }

  /** What one that is missing stands for. */
  default(otherwise: T): Shape<T> {
    return new Shape((value, tell) => (value === undefined ? otherwise : this.look(value, tell)))
  }

  /** What must hold besides. */
  where(holds: (value: T) => boolean, otherwise: string): Shape<T> {
    return new Shape((value, tell) => {
      const issues: ShapeIssue[] = []
      const found = this.look(value, into(issues))
      for (const { message, path } of issues) tell(message, ...path)
      if (issues.length === 0 && !holds(found as T)) tell(otherwise)
      return found
    })
  }
}

/** What `is` says it is; `expected` in words. */
export const like = <T>(expected: string, is: (value: unknown) => boolean): Shape<T> =>
  new Shape((value, tell) => {
    if (!is(value)) tell(`expected ${expected}, received ${kindOf(value)}`)
    return value
  })

export const unknown = new Shape<unknown>((value) => value)
export const boolean = like<boolean>('boolean', (value) => typeof value === 'boolean')
export const string = like<string>('string', (value) => typeof value === 'string')
/** Not empty. */
export const text = string.where((value) => value !== '', 'must not be empty')
export const number = like<number>('number', Number.isFinite)
export const whole = like<number>('whole number', Number.isSafeInteger)
/** From 0. */
export const amount = number.where((value) => value >= 0, 'must not be negative')
/** Whole, from 0. */
export const count = whole.where((value) => value >= 0, 'must not be negative')

/** Milliseconds since 1970, also of a time in ISO 8601. */
export const moment: Shape<number> = new Shape((value, tell) => {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  const ms = typeof value === 'string' && isoTime.test(value) ? Date.parse(value) : Number.NaN
  if (Number.isNaN(ms)) tell(`expected a time in ISO 8601 or in milliseconds, received ${kindOf(value)}`)
  return ms
})
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/

export const oneOf = <const T extends string>(...values: readonly T[]): Shape<T> =>
  new Shape((value, tell) => {
    if (!values.includes(value as T)) tell(`expected one of ${values.map((each) => JSON.stringify(each)).join(', ')}`)
    return value
  })

export const list = <T>(of: Shape<T>): Shape<T[]> =>
  new Shape((value, tell) => {
    if (!Array.isArray(value)) {
      tell(`expected array, received ${kindOf(value)}`)
      return undefined
    }
    return value.map((item, at) => of.look(item, (message, ...path) => tell(message, at, ...path)))
  })

/** A command line: a program, and its arguments. */
export const argv = new Shape<[string, ...string[]]>(
  list(string).where(([program = '']) => program !== '', 'must begin with a program').look,
)

/** From any key. */
export const record = <T>(of: Shape<T>): Shape<Record<string, T>> =>
  new Shape((value, tell) => {
    if (!isMap(value)) {
      tell(`expected object, received ${kindOf(value)}`)
      return undefined
    }
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, lookInside(of, item, key, tell)]))
  })

type Fields = Readonly<Record<string, Shape<unknown>>>

/** Keys whose value may be missing may be so, too. */
type Mapped<F extends Fields> = {
  -readonly [K in keyof F as undefined extends Shaped<F[K]> ? never : K]: Shaped<F[K]>
} & { -readonly [K in keyof F as undefined extends Shaped<F[K]> ? K : never]?: Shaped<F[K]> }

/** Keeps other keys as they are. */
export const loose = <F extends Fields>(fields: F): Shape<Mapped<F>> =>
  new Shape((value, tell) => {
    if (!isMap(value)) {
      tell(`expected object, received ${kindOf(value)}`)
      return undefined
    }
    const found = { ...value }
    for (const [key, of] of Object.entries(fields)) {
      const item = lookInside(of, value[key], key, tell)
      if (item !== undefined) found[key] = item
    }
    return found
  })

/** Has no other keys. */
export const strict = <F extends Fields>(fields: F): Shape<Mapped<F>> => {
  const inside = loose(fields)
  return new Shape((value, tell) => {
    const others = isMap(value) ? Object.keys(value).filter((key) => !Object.hasOwn(fields, key)) : []
    for (const key of others) tell(`Unrecognized key: ${JSON.stringify(key)}`)
    return inside.look(value, tell)
  })
}

/** The first that fits. */
export const either = <A, B>(one: Shape<A>, other: Shape<B>): Shape<A | B> =>
  new Shape((value, tell) => {
    const found = one.read(value)
    return found === undefined ? other.look(value, tell) : found
  })

const lookInside = (of: Shape<unknown>, item: unknown, key: string, tell: Tell): unknown =>
  of.look(item, (message, ...path) => tell(message, key, ...path))

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const kindOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)
