/** Colours of states: green is well, yellow is on its way, red needs somebody, dim rests. */
import type { Style } from './terminal.ts'

/** For the state of a service, or what stands for one (`running (unsupervised)`). */
export const styleOfState = (state: string): Style | undefined => styles[state]

const styles: Readonly<Record<string, Style>> = {
  running: 'green',
  completed: 'green',
  starting: 'yellow',
  waiting: 'yellow',
  deploying: 'yellow',
  backoff: 'yellow',
  blocked: 'yellow',
  stopping: 'yellow',
  'running (unsupervised)': 'yellow',
  'ended (unsupervised)': 'red',
  failed: 'red',
  unhealthy: 'red',
  stopped: 'dim',
  skipped: 'dim',
  scheduled: 'dim',
}
