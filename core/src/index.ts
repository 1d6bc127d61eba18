/** Everything a plugin author imports. */
// The zod that schemas of keys are made with: a plugin needs none of its own.
export { z } from 'zod'
export * from './config/index.ts'
export { CommandLog, type CommandLogOf } from './command-log.ts'
export { catalog, SysgError, whyOf, type ErrorCatalog, type ErrorText, type Position } from './errors.ts'
export { eventOfState, type EventData, type EventType, type SysgEvent } from './events.ts'
export * from './host.ts'
export { nothingTold, pastOf, takeIn, type Past, type PastService } from './past.ts'
export { pastAt, type Checkpoint, type PastAt } from './past-at.ts'
export { pastViews, type PastChild, type PastView } from './past-view.ts'
export {
  createHooks,
  hookPolicies,
  type Hooks,
  type PlanDecision,
  type ReadyGate,
  type Replacing,
  type RetryDecision,
} from './hooks.ts'
export type { LaunchSpec, MadeEnvironment } from './launch-spec.ts'
export type { EndedRun, InstanceAt, InstanceInfo, ProbeVerdict, StartKind, Transient } from './instance-info.ts'
export type { StopRequest } from './instance-world.ts'
export type { BootState, InstanceRecord, IntentRecord, JournalEntry, OutcomeRecord } from './journal.ts'
export {
  definePlugin,
  orderPlugins,
  pluginApiVersion,
  type ConfigIssue,
  type Extensions,
  type KeySchemas,
  type Plugin,
  type PluginApi,
  type PluginSchemas,
  type PluginUse,
  type RawConfig,
} from './plugin.ts'
export type { ControlCall, ControlMethod, ControlMethods } from './control-methods.ts'
export { pluginFacts, type PluginFacts } from './plugin-facts.ts'
export { collectKeys } from './plugin-keys.ts'
export {
  checkArgs,
  collectCommands,
  type ControlClient,
  type OwnedCommand,
  type PluginCommand,
  type PluginCommandContext,
} from './plugin-command.ts'
export { offeredHooks, type PluginHook, type PluginHookName, type PluginHooks } from './plugin-hooks.ts'
export { loadSchemas, schemasOf } from './plugin-schemas.ts'
export type { OutputSink, Probe, Registries, RegistryAccess, StrategyFactory, WrittenOutput } from './registries.ts'
export { Registry } from './registry.ts'
export {
  instanceMoves,
  moveInstance,
  moveReplica,
  replicaMoves,
  serviceState,
  type InstanceState,
  type ReplicaState,
  type ServiceFacts,
  type ServiceState,
} from './states.ts'
export { immediate, type DeployBegin, type Replacement, type Strategy, type Undoing } from './strategy.ts'
export type {
  HealthReport,
  DownReplicaView,
  InstanceView,
  Outcome,
  PlannedChange,
  RunOptions,
  ServiceView,
  SystemApi,
  TransientOptions,
} from './system-api.ts'
export { hostOf } from './transient-name.ts'
export type { HookPolicy, TapLimit, TapWorld } from './tap-runner.ts'
export { Graph } from './graph.ts'
export { System, type SystemOptions } from './system.ts'
export { describeExit, withLastLine } from './explain.ts'
export { fillIn } from './fill-in.ts'
export { once } from './once.ts'
export { isSecretName, mask, masked, maskedDeep, Secrets } from './secrets.ts'
export type { HistogramSample, Metric, MetricLabels, MetricSample } from './metric.ts'
export type { InspectAt, Inspection, InspectionSection, InstanceTree, ProcessNode } from './inspection.ts'
export { baseEnvironment } from './launch-environment.ts'
export { limited, linkedTo, orAborted, pause, within } from './wait.ts'
