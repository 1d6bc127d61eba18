/** A simulated machine with a virtual clock, for tests, `sysg simulate` and the playground. */
export { spawnFailure, type Faults } from './faults.ts'
export type { FileTree } from './files.ts'
export {
  all,
  answers,
  crashesAt,
  daemonizes,
  defaultProgram,
  exitsAfter,
  forks,
  ignoresSigterm,
  prints,
  programsByName,
  serve,
  stopsAfter,
  type AnswerRequest,
  type ForkedProcess,
  type ForkOptions,
  type Program,
  type ProgramControl,
  type Programs,
  type SimulatedAnswer,
  type SimulatedRequest,
} from './program.ts'
export type { SimulatedHost } from './host.ts'
export { createRandom, hexToken, type Random } from './random.ts'
export { createWorld, type ProcessChange, type ProcessView, type SimulatedWorld, type WorldOptions } from './world.ts'
