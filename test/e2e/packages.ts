/** Packages as they would be published, and folders outside of the repository that have them installed. */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { Sandbox, type Result } from './sysg.ts'

export const repository = join(import.meta.dirname, '../..')

/** The published packages, by their folders. */
export const ourPackages = ['core', 'plugins', 'cli'] as const

const execute = promisify(execFile)

/** What a person has who has installed this Node. */
const environment = {
  ...process.env,
  PATH: [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter),
  npm_config_update_notifier: 'false',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_prefer_offline: 'true',
}

/** Run a program to its end. @throws with what it wrote when it fails. */
export const runIn = async (cwd: string, program: string, args: readonly string[]): Promise<string> => {
  const options = { cwd, env: environment, maxBuffer: 16 * 1024 * 1024 }
  const { stdout } = await execute(program, args, options).catch((thrown: unknown) => {
    const { stdout = '', stderr = '' } = thrown as { stdout?: string; stderr?: string }
    throw new Error(`\`${[program, ...args].join(' ')}\` failed in ${cwd}:\n${stdout}${stderr}`, { cause: thrown })
  })
  return stdout
}

export interface Packed {
  readonly file: string
  readonly name: string
  /** Paths in the package. */
  readonly files: readonly string[]
  readonly unpackedSize: number
}

/** `npm pack` of a folder. */
export const pack = async (folder: string, into: string): Promise<Packed> => {
  const printed = await runIn(folder, 'npm', ['pack', '--json', '--pack-destination', into])
  const [packed] = JSON.parse(printed.slice(printed.indexOf('['))) as [
    { filename: string; name: string; files: { path: string }[]; unpackedSize: number },
  ]
  const { filename, name, files, unpackedSize } = packed
  return { file: join(into, filename), name, files: files.map(({ path }) => path), unpackedSize }
}

/** A folder for tarballs, removed after the test; in `beforeAll` it is the caller's to remove. */
export const tarballFolder = ({ inTest = true } = {}): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sysg-tarballs-'))
  if (inTest) onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** An empty folder after `npm init -y` and `npm install` of these tarballs. */
export class EmptyProject implements AsyncDisposable {
  readonly box: Sandbox

  private constructor(box: Sandbox) {
    this.box = box
  }

  static async create(tarballs: readonly string[], options: { inTest?: boolean } = {}): Promise<EmptyProject> {
    const project = new EmptyProject(new Sandbox(options))
    mkdirSync(project.box.home)
    await project.run('npm', 'init', '-y')
    await project.run('npm', 'install', '--loglevel=error', ...tarballs)
    return project
  }

  get folder(): string {
    return this.box.folder
  }

  /** Run a program in the folder. @throws when it fails. */
  run(program: string, ...args: readonly string[]): Promise<string> {
    return runIn(this.folder, program, args)
  }

  /** `npx sysg …` */
  async npx(...args: readonly string[]): Promise<Result> {
    const env = { ...environment, SYSG_HOME: this.box.home, NO_COLOR: '1' }
    const options = { cwd: this.folder, env }
    return execute('npx', ['--no-install', 'sysg', ...args], options).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (thrown: unknown) => thrown as Result,
    )
  }

  /** A file of an installed package. */
  installed(path: string): string {
    return readFileSync(join(this.folder, 'node_modules', path), 'utf8')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.box[Symbol.asyncDispose]()
  }
}
