/** The states of services, replicas and instances, drawn from the tables that the core runs by. */
import { instanceMoves, replicaMoves, type ServiceState } from '@systemg/core'
import { code, generatedNote, table } from './markdown.ts'

type Table = Readonly<Record<string, Readonly<Record<string, string>>>>

const serviceStates: Readonly<Record<ServiceState, string>> = {
  waiting: 'A dependency is on its way.',
  blocked: 'A dependency failed or is down; the reason says which, down to the root cause.',
  starting: 'It is being prepared, or runs and is not ready yet.',
  running: 'Every wanted replica has been ready at once, and since then one always was.',
  unhealthy: 'It runs, and its health check fails.',
  stopping: 'It was asked to stop, and something of it still lives.',
  stopped: 'A person stopped it, nobody started it, or no replica is wanted.',
  completed: 'It ended by itself with one of its `success_exit_codes`, and stays so.',
  backoff: 'It ended by itself and will start again; `retry_at` says when.',
  failed: 'It ended badly and stays down, or could not be started at all.',
  scheduled: 'It runs at its times; a plugin said so.',
  skipped: '`skip` holds. Whoever depends on it goes on.',
}

const replicaCues = [
  ['launch', 'wanted, planned, its gate open, nothing of it alive, and a wait for a restart is over'],
  ['retry', 'a run ended by itself, and the `retry` hook said: again, after a delay'],
  ['giveUp', 'a run ended badly, and no plugin wanted it back'],
  ['complete', 'a run ended well, and no plugin wanted it back'],
  ['rest', 'a run was stopped on purpose, or the wait for a restart was called off'],
  ['rearm', 'a person starts it again, or its config changed'],
] as const

export const statesPage = (): string => `${generatedNote('core/src/states.ts')}

# States

What people see of a service is computed from three things that the core keeps: the intents, the gate of its
dependencies, and the states of its replicas and their instances. [Lifecycle](../guide/lifecycle.md) tells it as a story.

## Service

${table(
  ['state', 'means'],
  Object.entries(serviceStates).map(([state, meaning]) => [code(state), meaning]),
)}

## Instance

One run of a service. Any move that is not drawn here is a bug, and throws.

${diagram(instanceMoves, 'ended')}

${movesTable(instanceMoves)}

## Replica

One of the \`replicas\` that a service should have at once, over all the runs it takes.

${diagram(replicaMoves)}

${movesTable(replicaMoves)}

${table(
  ['cue', 'when'],
  replicaCues.map(([cue, when]) => [code(cue), when]),
)}
`

const diagram = (moves: Table, end?: string): string => {
  const [first = ''] = Object.keys(moves)
  const edges = Object.entries(moves).flatMap(([from, cues]) =>
    Object.entries(cues).map(([cue, to]) => `  ${from} --> ${to}: ${cue}`),
  )
  const last = end === undefined ? [] : [`  ${end} --> [*]`]
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${first}`, ...edges, ...last, '```'].join('\n')
}

const movesTable = (moves: Table): string => {
  const cues = [...new Set(Object.values(moves).flatMap((each) => Object.keys(each)))]
  return table(
    ['', ...cues.map(code)],
    Object.entries(moves).map(([from, to]) => [code(from), ...cues.map((cue) => to[cue] ?? '')]),
  )
}
