/** Real processes: started, adopted, listed, signalled and waited for. */
import type { ChildProcess } from 'node:child_process'
import type { Processes, Trace, TreeRef } from '@systemg/core'
import { AdoptedProcesses, isStillThere } from './adopted-processes.ts'
import { Cgroups } from './cgroups.ts'
import { bootId } from './kernel.ts'
import { killMembers } from './kill-members.ts'
import { listenersOn } from './listeners.ts'
import { readEnvironment } from './process-environment.ts'
import { processInfo } from './process-info.ts'
import { ProcessTrees } from './process-trees.ts'
import { signalMembers } from './signal-tree.ts'
import { startProcess } from './start-process.ts'

export interface NodeProcesses extends Processes {
  readonly trees: ProcessTrees
  /** Stop all timers, and let this process end although children live. */
  dispose(): void
}

export const createProcesses = (trace: Trace, cgroups = new Cgroups(undefined)): NodeProcesses => {
  const children = new Set<ChildProcess>()
  const adopted = new AdoptedProcesses(() => trees.nudge())
  const trees = new ProcessTrees(trace, ({ byPid }) => adopted.compare((pid) => byPid.get(pid)), cgroups)

  const keep = (child: ChildProcess): void => {
    children.add(child)
    child.once('exit', () => {
      children.delete(child)
      trees.nudge()
    })
  }

  return {
    trees,

    async spawn(spec) {
      const entrance = cgroups.enter(spec, spec)
      const started = await startProcess(entrance === undefined ? spec : { ...spec, argv: entrance.argv })
      if ('errno' in started) {
        cgroups.remove(spec)
        return started
      }
      const { pid, startTime, exited, child } = started
      entrance?.entered(pid)
      keep(child)
      const tree: TreeRef = { pid, startTime, token: spec.token, bootId: bootId() }
      trees.track(tree)
      return { tree, exited }
    },

    async adopt(tree) {
      if (!isStillThere(tree)) return undefined
      trees.track(tree)
      return { tree, exited: adopted.watch(tree), env: readEnvironment(tree.pid) }
    },

    async members(tree) {
      const { members } = await trees.look(tree)
      return members.map(processInfo)
    },

    async signal(tree, signal) {
      const reached =
        signal === 'SIGKILL'
          ? await killMembers(tree, trees, cgroups)
          : signalMembers(tree, await trees.look(tree), signal)
      trees.nudge()
      return reached
    },

    gone: (tree, signal) => trees.gone(tree, signal),

    async listening(port) {
      return listenersOn(port)
    },

    dispose() {
      trees.dispose()
      adopted.dispose()
      for (const child of children) child.unref()
    },
  }
}
