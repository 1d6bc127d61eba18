/** The first-party plugins. Importing this gives the config types their keys. */
export { control } from './control/index.ts'
export { deploy } from './deploy/index.ts'
export { dotenv } from './dotenv/index.ts'
export { logs } from './logs/index.ts'
export { restart } from './restart/index.ts'
export { sockets } from './sockets/index.ts'
export { store } from './store/index.ts'
export { watch } from './watch/index.ts'
