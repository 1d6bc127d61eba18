/** The node host: real processes, files, sockets and time. Commands import the single files they need. */
export { acquireLock, type Lock } from './lock.ts'
export { createNodeHost, type NodeHost } from './node-host.ts'
export { passedSockets } from './passed-sockets.ts'
export { openStore } from './store.ts'
