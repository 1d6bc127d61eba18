/** Real processes: started, adopted, listed, signalled and waited for. */
import type { ChildProcess } from 'node:child_process'
import type { Exit, Processes, Trace, TreeRef } from '@systemg/core'
import { AdoptedProcesses, isStillThere } from './adopted-processes.ts'
import { Cgroups } from './cgroups.ts'
import { keepsNothing, type Keeper } from './held.ts'
import type { KeptExits } from './kept-exits.ts'
import { bootId } from './kernel.ts'
import { killMembers } from './kill-members.ts'
import { listenersOn } from './listeners.ts'
import { ownUsage } from './own-usage.ts'
import { readEnvironment } from './process-environment.ts'
import { processInfo } from './process-info.ts'
import { ProcessTrees } from './process-trees.ts'
import { signalMembers } from './signal-tree.ts'
import { startProcess } from './start-process.ts'
import { usageOfTrees } from './tree-usage.ts'
import type { UnfinishedKills } from './unfinished-kills.ts'

export interface NodeProcesses extends Processes {
  readonly trees: ProcessTrees
  /** Stop all timers, and let this process end although children live. */
  dispose(): void
}

export interface ProcessesOptions {
  /** Where it is kept how programs end that others wait for. Default: it is not. */
  readonly exits?: KeptExits
  /** Default: there are none. */
  readonly cgroups?: Cgroups
  /** Kills that an earlier supervisor had begun are carried through before anything is adopted. Default: nobody knows of them. */
  readonly unfinished?: UnfinishedKills
  /** Keeps open what programs get. Default: nothing does. */
  readonly keeper?: Keeper
}

export const createProcesses = (
  trace: Trace,
  { exits, cgroups = new Cgroups(undefined), unfinished, keeper = keepsNothing }: ProcessesOptions = {},
): NodeProcesses => {
  const children = new Set<ChildProcess>()
  let isOver = false
  const adopted = new AdoptedProcesses(() => trees.nudge())
  const trees = new ProcessTrees(trace, ({ byPid }) => adopted.compare((pid) => byPid.get(pid)), cgroups)

  const kill = (tree: TreeRef): Promise<number> => killMembers(tree, { trees, cgroups, unfinished })
  const carriedThrough = unfinished?.carryThrough({ kill, gone: (tree, signal) => trees.gone(tree, signal) })

  const keep = (child: ChildProcess): void => {
    children.add(child)
    child.once('exit', () => {
      children.delete(child)
      trees.nudge()
    })
  }

  /** How the program ended, where the shell above it knows. */
  const keptExit = (from: KeptExits, token: string, seen: Exit): Exit => {
    const kept = from.read(token)
    if (!isOver) from.seen(token)
    return kept ?? seen
  }

  return {
    trees,

    async spawn(spec) {
      const isKept = exits !== undefined && spec.keepsExit === true
      const kept = isKept ? { ...spec, argv: exits.argvOf(spec) } : spec
      const entrance = cgroups.enter(spec, kept)
      const started = await startProcess(entrance === undefined ? kept : { ...kept, argv: entrance.argv }, keeper)
      if ('errno' in started) {
        cgroups.remove(spec)
        return started
      }
      const { pid, startTime, exited, child } = started
      entrance?.entered(pid)
      keep(child)
      const tree: TreeRef = { pid, startTime, token: spec.token, bootId: bootId() }
      trees.track(tree)
      return { tree, exited: isKept ? exited.then((seen) => keptExit(exits, spec.token, seen)) : exited }
    },

    async adopt(tree) {
      await carriedThrough
      if (!isStillThere(tree)) return undefined
      trees.track(tree)
      exits?.keep(tree.token)
      const exited = adopted.watch(tree).then((unknown) => exits?.read(tree.token) ?? unknown)
      return { tree, exited, env: readEnvironment(tree.pid) }
    },

    async pastExit(tree) {
      const killed: Exit = { code: null, signal: 'SIGKILL' }
      return exits?.read(tree.token) ?? (unfinished?.hasKilled(tree) === true ? killed : undefined)
    },

    async members(tree) {
      await carriedThrough
      const { members } = await trees.look(tree)
      return members.map((one) => processInfo(one, (argv) => exits?.isShellOf(tree.token, argv) === true))
    },

    usage: (all) => usageOfTrees(all, trees, cgroups),

    own: ownUsage,

    async signal(tree, signal) {
      exits?.signalling(tree.token, signal)
      const reached = signal === 'SIGKILL' ? await kill(tree) : signalMembers(tree, await trees.look(tree), signal)
      trees.nudge()
      return reached
    },

    gone: (tree, signal) => trees.gone(tree, signal),

    async listening(port) {
      return listenersOn(port)
    },

    dispose() {
      isOver = true
      trees.dispose()
      adopted.dispose()
      for (const child of children) child.unref()
    },
  }
}
