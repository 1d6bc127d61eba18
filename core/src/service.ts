/** One service of the system: what is wanted of it, its replicas, and what people see of it. Holds state; decides nothing. */
import type { ResolvedService } from './config/types.ts'
import type { Deploy } from './deploy.ts'
import type { Gate } from './gate.ts'
import type { PlanDecision } from './hooks.ts'
import type { Instance } from './instance.ts'
import type { IntentRecord } from './journal.ts'
import { Replica } from './replica.ts'
import type { DownReplicaView } from './system-api.ts'
import { serviceState, type OnMove, type ServiceFacts, type ServiceState } from './states.ts'

export class Service {
  readonly name: string
  /** What the config says. Replicas may still run, or be kept, with an older one. */
  config: ResolvedService
  intent: IntentRecord = { intent: 'up' }
  /** Started by this supervisor: all services are, unless it was begun for some of them. */
  isAsked = false
  /** No longer in the config, or ad hoc and stopped by a person: it is stopped and then forgotten. */
  isRemoved = false
  /** In no config: a person started it with its command, and it lives until a person stops it. */
  isAdHoc = false
  /** Ad hoc, and it runs once: it is forgotten when that run has ended. */
  isTransient = false
  /** A person started it by name, so `skip` does not hold. */
  ignoresSkip = false
  /** What was decided last; it holds while it is decided anew. Undefined before. */
  plan: 'boot' | PlanDecision | undefined
  planning: 'needed' | 'asking' | 'done' = 'needed'
  /** Why planning failed. */
  planError: string | undefined
  /** All wanted replicas have been ready at once, and since then one always was. */
  isUp = false
  deploy: Deploy | undefined
  /** Another config has been taken up, and what runs of the service is not yet replaced. */
  isToBeReplaced = false
  readonly replicas: Replica[] = []
  /** Automatic restarts since the supervisor knows the service. */
  restarts = 0
  gate: Gate = { state: 'open' }
  /** A person's own limit for the next stop, ms. */
  stopGraceMs: number | undefined
  /** What was last told about it. */
  seen: { state: ServiceState | undefined; reason: string | null; restarts: number; sinceMs: number } = {
    state: undefined,
    reason: null,
    restarts: 0,
    sinceMs: 0,
  }
  /** What of its config was last told. */
  declared: { readonly config: ResolvedService; readonly replicas: number; readonly isAdHoc: boolean } | undefined
  /** Which of its replicas were last told to be down. */
  toldDown: readonly DownReplicaView[] = []
  /** The event that led to what it does now. */
  cause: number | undefined
  readonly #onMove: OnMove | undefined

  constructor(config: ResolvedService, onMove: OnMove | undefined) {
    this.name = config.name
    this.config = config
    this.#onMove = onMove
  }

  get wantedReplicas(): number {
    const { replicas, scaledFrom } = this.intent
    return replicas !== undefined && scaledFrom === this.config.replicas ? replicas : this.config.replicas
  }

  /** It is known whether it is started at boot. */
  get isPlanned(): boolean {
    return this.planning === 'done' && this.planError === undefined
  }

  get isSkipped(): boolean {
    return typeof this.plan === 'object' && this.plan.mode === 'skip' && !this.ignoresSkip
  }

  get isScheduled(): boolean {
    return typeof this.plan === 'object' && this.plan.mode === 'scheduled'
  }

  /** It is to be up, as far as the service itself is concerned. */
  get isIntended(): boolean {
    return this.isAsked && !this.isRemoved && this.intent.intent === 'up'
  }

  get living(): readonly Instance[] {
    const living: Instance[] = []
    for (const replica of this.replicas) living.push(...replica.living)
    return living
  }

  /** Instances that serve now; during a deploy also the one that would take over again. */
  get serving(): readonly Instance[] {
    return this.living.filter((instance) => instance.isServing && instance.role !== 'candidate')
  }

  /**
   * What a replica that is new is started with: what the others run, so that a config whose deploy failed does not come
   * in with it.
   */
  get provenSpec(): ResolvedService {
    const running = this.replicas.flatMap(({ active }) => active?.service ?? [])
    return running.includes(this.config) ? this.config : (running[0] ?? this.config)
  }

  /** What is new waits until it is decided which config the service runs. */
  get holdsNewReplicas(): boolean {
    return this.deploy !== undefined || this.isToBeReplaced
  }

  /** Replicas that the service should have; others are on their way out. */
  get wanted(): readonly Replica[] {
    return this.replicas.slice(0, this.wantedReplicas)
  }

  /** A replica by index, made when missing. */
  replica(index: number): Replica {
    for (let next = this.replicas.length; next <= index; next += 1) {
      this.replicas.push(new Replica(next, this.config, this.#onMove))
    }
    return this.replicas[index] as Replica
  }

  /** As many replicas as are wanted, or as still live. Returns those that are forgotten. */
  fitReplicas(): readonly Replica[] {
    if (this.wantedReplicas > 0) this.replica(this.wantedReplicas - 1)
    let keep = this.replicas.length
    while (keep > this.wantedReplicas && this.replicas[keep - 1]?.living.size === 0) keep -= 1
    return this.replicas.splice(keep)
  }

  /** Its next instance is started as soon as the system looks at it, with what is configured now. */
  prepareToStart(): void {
    this.isAsked = true
    this.planning = 'needed'
    this.planError = undefined
    for (const replica of this.replicas) {
      replica.spec = this.config
      replica.rearm()
    }
  }

  /** `wanted`: what the system and the service together want. */
  state(wanted: boolean): ServiceState {
    if (this.planError !== undefined && this.living.length === 0) return 'failed'
    const facts: ServiceFacts = {
      wanted,
      skipped: this.isSkipped,
      scheduled: this.isScheduled && !this.replicas.some(({ askedRun }) => askedRun !== undefined),
      gate: this.gate.state,
      up: this.isUp,
      replicas: this.replicas.map((replica) => ({
        state: replica.state,
        instances: [...replica.living].filter((one) => !wanted || one.role === 'active').map(shownState),
      })),
    }
    return serviceState(facts)
  }
}

/** An instance that was asked to stop, or whose process is gone, no longer counts as what it was. */
const shownState = (instance: Instance) =>
  instance.stopRequest !== undefined || instance.exit !== undefined ? 'stopping' : instance.state
