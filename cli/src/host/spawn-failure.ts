/** Says why a process could not be started: Node gives the same `ENOENT` for a missing program, folder and interpreter. */
import { accessSync, closeSync, constants, openSync, readSync, statSync, type Stats } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { getSystemErrorMap } from 'node:util'
import { HostError, type SpawnFailure, type SpawnSpec } from '@systemg/core'
import { errnoOf } from './host-error.ts'

type Launch = Pick<SpawnSpec, 'argv' | 'env' | 'cwd'>

/** Where execvp(3) searches when there is no PATH. */
const defaultPath = '/bin:/usr/bin'

const reasons: Readonly<Record<string, string>> = {
  E2BIG: 'arguments and environment are longer than the kernel allows',
  EAGAIN: 'this user has too many processes',
  EINVAL: 'an argument or variable holds a zero byte, or the program has no name',
  EMFILE: 'the supervisor has too many open files',
  ENFILE: 'the machine has too many open files',
  ENOEXEC: 'it is not a program of this machine',
  ENOMEM: 'not enough memory',
  ETXTBSY: 'the program is being written to',
}

export const spawnFailure = (launch: Launch, thrown: unknown): SpawnFailure => {
  if (thrown instanceof HostError) return { errno: thrown.errno, message: thrown.message }
  const errno = errnoOf(thrown)
  const folder = folderProblem(launch)
  const path = folder === undefined && isRefusal(errno) ? firstThere(launch) : undefined
  // `EACCES`, as the kernel has it, would be said of a file without permission, too.
  if (path !== undefined && isFolder(path)) return { errno: 'EISDIR', message: `${path} is a folder` }
  return { errno, message: folder ?? programProblem(launch, errno) ?? reasons[errno] ?? described(errno) }
}

/** Whether a program is there that can be executed in this folder, as far as that can be seen beforehand. */
export const isStartable = (launch: Launch): boolean => {
  if (folderProblem(launch) !== undefined) return false
  const path = candidates(launch).find((candidate) => isExecutable(candidate))
  if (path === undefined) return false
  const interpreter = interpreterOf(path)
  return interpreter === undefined || isExecutable(resolve(launch.cwd, interpreter))
}

/** Why the program behind what becomes it can't be started, as far as that can be seen beforehand. */
export const wrappedFailure = (spec: SpawnSpec): SpawnFailure | undefined => {
  const { argv, programWords = argv.length } = spec
  const [program, ...args] = argv.slice(-programWords)
  if (programWords >= argv.length || program === undefined) return undefined
  const launch: Launch = { ...spec, argv: [program, ...args] }
  if (isStartable(launch)) return undefined
  const path = firstThere(launch)
  const code = path === undefined || isExecutable(path) ? 'ENOENT' : 'EACCES'
  return spawnFailure(launch, Object.assign(new Error(code), { code }))
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

const folderProblem = ({ argv: [program], cwd }: Launch): string | undefined => {
  const found = look(cwd)
  const runs = `${program} can't run in ${cwd}, which`
  if (found === 'ENOENT') return `${runs} does not exist`
  if (found === 'EACCES') return `${runs} is not accessible`
  if (typeof found === 'string' || !found.isDirectory()) return `${runs} is not a folder`
  return undefined
}

const programProblem = (launch: Launch, errno: string): string | undefined => {
  if (!isRefusal(errno)) return undefined
  const [program] = launch.argv
  const path = firstThere(launch)
  if (path === undefined) {
    if (errno === 'EACCES') return `${program} is not accessible`
    if (isCommandLine(launch)) return `there is no program \`${program}\`: no shell splits it into words`
    return program.includes('/')
      ? `${resolve(launch.cwd, program)} does not exist`
      : `there is no program \`${program}\` in PATH (${launch.env['PATH'] ?? defaultPath})`
  }
  if (errno === 'EACCES') return `${path} is not executable`
  const interpreter = interpreterOf(path)
  return interpreter === undefined
    ? `${path} exists, but the loader it was linked for does not`
    : `its interpreter ${interpreter} does not exist`
}

/** A program with its arguments in place of the program alone. */
const isCommandLine = (launch: Launch): boolean => {
  const [program = '', ...args] = launch.argv[0].trim().split(/\s+/)
  return args.length > 0 && isStartable({ ...launch, argv: [program, ...args] })
}

/** Files that execvp(3) would try, in its order. */
const candidates = ({ argv: [program], env, cwd }: Launch): readonly string[] => {
  if (program.includes('/')) return [isAbsolute(program) ? program : join(cwd, program)]
  return (env['PATH'] ?? defaultPath).split(':').map((folder) => resolve(cwd, folder, program))
}

/** What execvp(3) would try first of what is there. */
const firstThere = (launch: Launch): string | undefined =>
  candidates(launch).find((candidate) => typeof look(candidate) !== 'string')

/** What is there, or the errno that says why it can't be seen. */
const look = (path: string): Stats | string => {
  try {
    return statSync(path)
  } catch (thrown) {
    return errnoOf(thrown)
  }
}

const isFolder = (path: string): boolean => {
  const found = look(path)
  return typeof found !== 'string' && found.isDirectory()
}

/** Several things are told apart by what is there. */
const isRefusal = (errno: string): boolean => errno === 'ENOENT' || errno === 'EACCES'

/** The program named by a script's first line. */
const interpreterOf = (path: string): string | undefined => {
  try {
    const fd = openSync(path, 'r')
    try {
      const start = Buffer.alloc(256)
      return /^#!\s*(\S+)/.exec(start.toString('utf8', 0, readSync(fd, start)))?.[1]
    } finally {
      closeSync(fd)
    }
  } catch {
    return undefined
  }
}

/** The system's own words for an errno name. */
const described = (errno: string): string =>
  [...getSystemErrorMap().values()].find(([name]) => name === errno)?.[1] ?? 'the system refused'
