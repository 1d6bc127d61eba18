/** A mistake in a plugin, or in systemg, must not take the supervisor down: its services would be left alone. */
import { whyOf } from '@systemg/core'

/** From here on what nobody caught is shown as a line, and the process goes on. */
export const survive = (show: (line: string) => void): void => {
  const report = (thrown: unknown) => {
    const stack = thrown instanceof Error ? thrown.stack : undefined
    show(`${new Date().toISOString()} error internal: ${stack ?? whyOf(thrown)}\n`)
  }
  process.on('uncaughtException', report)
  process.on('unhandledRejection', report)
}
