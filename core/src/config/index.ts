/** Configs: reading, checking, resolving, and saying what is wrong with them. */
export { argvOf, displayCommand, type CommandSource } from './command.ts'
export { formatDuration, parseDuration } from './duration.ts'
export { folderOf, relativeTo, resolvePath } from './file-paths.ts'
export { formatProblem, type FormatOptions } from './format-problem.ts'
export type { Inputs } from './inputs.ts'
export { interpolate, interpolateText, variablesNamed, type Lookup, type ReferenceProblem } from './interpolate.ts'
export { jsonSchema } from './json-schema.ts'
export { maxReplicas, serviceNamePattern } from './limits.ts'
export { nearest } from './nearest.ts'
export { isExplosivePattern } from './pattern.ts'
export { formatPath, type Path, type Problem } from './problems.ts'
export { resolveConfig, type ResolveInput, type ResolveResult } from './resolve.ts'
export { composeSchema, type ComposedSchema, type OwnedKey } from './schema.ts'
export { signalNames } from './signals.ts'
export { formatSize, parseSize } from './size.ts'
export type {
  Condition,
  Dependency,
  ProbeConfigs,
  ResolvedService,
  ResolvedStrategies,
  ResolvedSystem,
  ServiceConfig,
  StrategyConfigs,
  SystemConfig,
} from './types.ts'
export { duration, signal, size } from './values.ts'
export { writtenValues } from './written.ts'
export { parseYaml, type ParsedYaml, type PositionOf, type ReadText } from './yaml.ts'
