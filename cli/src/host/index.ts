/** The node host: real processes, files, sockets and time. Commands import the single files they need. */
export { FdDescriptor, fdOf } from './descriptor.ts'
export { acquireLock, type Lock } from './lock.ts'
export { createNodeHost, type NodeHost, type NodeHostOptions } from './node-host.ts'
export { findSocket, socketPath } from './socket-path.ts'
export { openStore } from './store.ts'
