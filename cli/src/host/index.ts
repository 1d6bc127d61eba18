/** The node host: real processes, files, sockets and time. Commands import the single files they need. */
export { acquireLock, type Lock } from './lock.ts'
export { holderRecordName, takeInheritance, type Inheritance } from './held.ts'
export { takenExitCode } from './holder-script.ts'
export type { HolderSettings } from './holder.ts'
export { createNodeHost, type NodeHost } from './node-host.ts'
export { endHolders, endOtherHolders } from './other-holders.ts'
export { passedSockets } from './passed-sockets.ts'
export { openStore } from './store.ts'
