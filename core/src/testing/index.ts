/** For tests of plugins: a system on a simulated machine, and what every host and plugin must pass. */
export * from './host-contract.ts'
export { pluginContract, type PluginUnderTest, type TestRunner } from './plugin-contract.ts'
export type { RanCommand, TypedCommand } from './run-command.ts'
export { simulate, Simulation, type Histogram, type SimulatedService, type SimulationOptions } from './rig.ts'
