/** What `sysg` ends with. The contract of SPEC §11. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  noSupervisor: 3,
  noService: 4,
  invalidConfig: 5,
  timedOut: 6,
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** The exit code that an error code stands for. */
export const exitCodeOf = (errorCode: string): ExitCode => {
  if (errorCode === 'SYSG_USAGE' || errorCode === 'SYSG_SCALE_COUNT') return exitCodes.usage
  if (errorCode === 'SYSG_NO_SUPERVISOR') return exitCodes.noSupervisor
  if (errorCode === 'SYSG_SERVICE_UNKNOWN') return exitCodes.noService
  if (errorCode === 'SYSG_INTERRUPTED') return exitCodes.interrupted
  if (
    /^SYSG_(CONFIG|DEPENDENCY_(CYCLE|UNKNOWN)|ENV_FILE|PLUGIN_(KEY_TAKEN|COMMAND|HOOK|API|DUPLICATE|ORDER|NOT_FOUND|INVALID|OPTIONS)|REGISTRY_TAKEN)/.test(
      errorCode,
    )
  ) {
    return exitCodes.invalidConfig
  }
  if (/TIMEOUT$|^SYSG_(STOP_INCOMPLETE|SUPERVISOR_SILENT)$/.test(errorCode)) return exitCodes.timedOut
  return exitCodes.failed
}
