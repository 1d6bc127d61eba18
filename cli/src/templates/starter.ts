/** The config of somebody who begins: it runs as it is, and shows what there is. */
import type { ConfigFormat } from './write-draft.ts'

export const starter = (format: ConfigFormat): string => (format === 'yaml' ? yaml : typescript)

const yaml = `# What this system is made of. \`sysg validate\` checks this file, \`sysg start\` runs it.
version: "1"

# Environment of every service.
# env:
#   file: .env
#   vars:
#     LOG_LEVEL: info

services:
  # Prepares something, then ends.
  prepare:
    command: echo "preparing" && sleep 1

  # Runs until it is stopped, and comes back when it crashes.
  hello:
    command: while true; do echo "hello, the time is $(date +%T)"; sleep 5; done
    restart_policy: on-failure
    depends_on:
      prepare:
        condition: completed # or ready (the default), or started

  # A server might look like this.
  # web:
  #   command: ./server --port \${PORT:-8080}
  #   working_dir: ./web
  #   depends_on: [hello]
  #   restart_policy: always
  #   stop_timeout: 30s
  #   env:
  #     vars:
  #       LOG_LEVEL: debug
`

const typescript = `// What this system is made of. \`sysg validate\` checks this file, \`sysg start\` runs it.
import { defineConfig } from 'systemg'

export default defineConfig({
  // Environment of every service.
  // env: { file: '.env', vars: { LOG_LEVEL: 'info' } },

  services: {
    // Prepares something, then ends.
    prepare: {
      command: 'echo "preparing" && sleep 1',
    },

    // Runs until it is stopped, and comes back when it crashes.
    hello: {
      command: 'while true; do echo "hello, the time is $(date +%T)"; sleep 5; done',
      restart_policy: 'on-failure',
      depends_on: {
        prepare: { condition: 'completed' }, // or ready (the default), or started
      },
    },

    // A server might look like this.
    // web: {
    //   command: './server --port \${PORT:-8080}',
    //   working_dir: './web',
    //   depends_on: ['hello'],
    //   restart_policy: 'always',
    //   stop_timeout: '30s',
    //   env: { vars: { LOG_LEVEL: 'debug' } },
    // },
  },
})
`
