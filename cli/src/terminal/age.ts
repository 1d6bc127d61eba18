/** How long ago, or how long, as people say it. */

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `3s`, `5m12s`, `2h`, `3d`: short enough for a table. Anything below a second, or negative, is `0s`. */
export const formatAge = (ms: number): string => {
  if (!(ms >= secondMs)) return '0s'
  if (ms >= dayMs) return `${Math.floor(ms / dayMs)}d`
  if (ms >= hourMs) return `${Math.floor(ms / hourMs)}h`
  const minutes = Math.floor(ms / minuteMs)
  const seconds = Math.floor((ms % minuteMs) / secondMs)
  if (minutes === 0) return `${seconds}s`
  return seconds === 0 ? `${minutes}m` : `${minutes}m${seconds}s`
}

/** For short times that matter: `320ms`, `1.2s`, then as `formatAge`. */
export const formatElapsed = (ms: number): string => {
  if (ms < secondMs) return `${Math.max(0, Math.round(ms))}ms`
  return ms < 10 * secondMs ? `${(Math.floor(ms / 100) / 10).toFixed(1)}s` : formatAge(ms)
}
