/** Replaces one service: waits for its turn, asks plugins for a strategy, and lets a deploy follow it. */
import { isSame } from '../changed-keys.ts'
import type { ResolvedService } from '../config/types.ts'
import { Deploy, type IsOld } from '../deploy.ts'
import { SysgError, whyOf } from '../errors.ts'
import type { Instance } from '../instance.ts'
import type { Service } from '../service.ts'
import { immediate, type Strategy } from '../strategy.ts'
import type { OperationWorld } from './operation-world.ts'
import { reasonsToReplace } from './planned-changes.ts'

/** Replace one service by its strategy, or start it when it does not run. */
export const replaceService = async (
  world: OperationWorld,
  service: Service,
  instances: ReadonlySet<Instance>,
): Promise<SysgError | undefined> => {
  const { reconciler } = world
  const target = service.config
  for (let { deploy } = service; deploy !== undefined; deploy = service.deploy) {
    const ending = deploy
    if (isSame(deploy.target, target)) return deploy.result
    deploy.abort(new SysgError('SYSG_DEPLOY_SUPERSEDED', { service: service.name, by: 'another restart' }))
    await deploy.result
    await reconciler.until(() => service.deploy !== ending)
  }
  const running = service.replicas.find(({ active }) => active !== undefined)?.active
  if (running === undefined) {
    service.prepareToStart()
    reconciler.wake([service])
    return undefined
  }
  if (!service.isScheduled && (await hasBecomeScheduled(world, service))) return undefined
  await reconciler.until(
    () => service.gate.state !== 'waiting' || isDeploying(service) || !reconciler.roster.isWanted(service),
  )
  if (isDeploying(service)) return replaceService(world, service, instances)
  if (service.gate.state !== 'open') {
    const names = service.gate.by ?? []
    const reason = names
      .map((name) => `${name} is ${reconciler.roster.services.get(name)?.seen.state ?? 'down'}`)
      .join(', ')
    return new SysgError('SYSG_DEPENDENCY_DOWN', { service: service.name, names, reason }, { lastLines: [] })
  }
  const isOld: IsOld = (instance) =>
    instances.has(instance) || reasonsToReplace(world, instance.service, target).length > 0
  return runDeploy(world, service, { target, running: running.service, isOld })
}

/** What had to be up is to run by a schedule from now on: what runs of it is stopped. */
const hasBecomeScheduled = async (world: OperationWorld, service: Service): Promise<boolean> => {
  const { signal } = new AbortController()
  const decision = await world.hooks.plan.promise({ service: service.config, signal }).catch(() => undefined)
  if (decision?.mode !== 'scheduled') return false
  service.plan = decision
  const leaving = service.living
  for (const replica of service.replicas) replica.spec = service.config
  for (const one of leaving) world.reconciler.requestStop(one, { why: 'scheduled', detail: 'it has a schedule now' })
  await world.reconciler.until(() => leaving.every(({ isLiving, stuck }) => !isLiving || stuck.length > 0))
  return true
}

const isDeploying = (service: Service) => service.deploy !== undefined

const runDeploy = async (
  world: OperationWorld,
  service: Service,
  { target, running, isOld }: { target: ResolvedService; running: ResolvedService; isOld: IsOld },
): Promise<SysgError | undefined> => {
  let strategy: Strategy
  try {
    strategy = world.hooks.replace.call({ service: target, running }) ?? immediate
  } catch (thrown) {
    const facts = { service: service.name, step: 'strategy', reason: whyOf(thrown) }
    return new SysgError('SYSG_DEPLOY_FAILED', facts, { cause: thrown })
  }
  const deploy = new Deploy(service, target, strategy, world.reconciler.deployWorld, {
    isOld,
    cause: service.cause,
  })
  service.deploy = deploy
  deploy.begin()
  const error = await deploy.result
  service.deploy = undefined
  world.reconciler.wake([service])
  return error
}
