/** What the end of an instance means for the hooks of its service. Pure. */
import type { InstanceInfo } from '@systemg/core'

/**
 * `failed`: it never became ready. `crashed`: it had been ready and ended badly. `completed`: it ended well by itself.
 * `stopped`: somebody wanted its end. `nothing`: no process of it ever ran, and none was to.
 */
export type End = 'failed' | 'crashed' | 'completed' | 'stopped' | 'nothing'

export interface Ended extends Pick<InstanceInfo, 'exit' | 'failure' | 'pid' | 'stopRequest' | 'wasReady'> {
  readonly service: { readonly success_exit_codes: readonly number[] }
}

/**
 * @param endedByItself - Its process had ended before anybody asked for that.
 * @param isLost - It was recorded by an earlier supervisor, and nobody saw how it ended.
 * @param wasToEnd - That one was to end it.
 */
export const endOf = (
  { exit, failure, pid, service, stopRequest, wasReady }: Ended,
  {
    endedByItself,
    isLost,
    wasToEnd,
  }: { readonly endedByItself: boolean; readonly isLost: boolean; readonly wasToEnd: boolean },
): End => {
  // The supervisor died while it started it: nobody knows its pid, and it is started once more.
  if (isLost && (pid === undefined || pid === 0)) return 'nothing'
  const badly = wasReady ? 'crashed' : 'failed'
  if (failure !== undefined) return badly
  if (stopRequest?.crash === true) return badly
  if (stopRequest !== undefined && !endedByItself) {
    if (pid === undefined) return 'nothing'
    // What it was to do is not done.
    return stopRequest.why === 'called off' ? badly : 'stopped'
  }
  if (isLost && exit?.unknown === true && wasToEnd) return 'stopped'
  return service.success_exit_codes.includes(exit?.code ?? -1) ? 'completed' : badly
}
