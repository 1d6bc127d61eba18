/** Combinations of the core's keys that cannot work. Those of a plugin's keys are found by its `check`. */
import type { PluginUse } from '../plugin.ts'
import { Findings } from './findings.ts'
import { nearest } from './nearest.ts'
import type { Problem } from './problems.ts'
import { exitWords } from './resolve-service.ts'
import type { ResolvedSystem } from './types.ts'

/** What the core knows: `exit_when`, and `completed` on several replicas. */
export const checkRules = (system: ResolvedSystem, findings: Findings): void => {
  const { exit_when: exitWhen, services } = system
  if (
    !exitWords.includes(exitWhen) &&
    !Object.hasOwn(services, exitWhen) &&
    !findings.isQuiet(['services', exitWhen])
  ) {
    const near = nearest(exitWhen, [...Object.keys(services), ...exitWords])
    const hint =
      near === undefined ? `Write a service's name, or one of: ${exitWords.join(', ')}.` : `Did you mean \`${near}\`?`
    findings.add(
      ['SYSG_CONFIG_COMBINATION', { message: `\`exit_when\` names no service: \`${exitWhen}\`.`, hint }],
      ['exit_when'],
    )
  }
  for (const [name, service] of Object.entries(services)) {
    for (const [other, { condition }] of Object.entries(service.depends_on)) {
      const replicas = Object.hasOwn(services, other) ? services[other]?.replicas : undefined
      if (condition !== 'completed' || replicas === undefined || replicas < 2) continue
      const message = `\`${name}\` waits until \`${other}\` has completed, but \`${other}\` has ${replicas} replicas.`
      const hint = 'Only one run can complete: set `replicas: 1`, or wait for `ready`.'
      findings.add(['SYSG_CONFIG_COMBINATION', { message, hint }], ['services', name, 'depends_on', other, 'condition'])
    }
  }
}

/** What is wrong with a config that was sound, after something in it was changed. */
export const combinationProblems = (uses: readonly PluginUse[], system: ResolvedSystem): readonly Problem[] => {
  const findings = new Findings({ file: '' })
  checkRules(system, findings)
  checkPlugins(uses, system, findings)
  return findings.list().filter(({ severity }) => severity === 'error')
}

/** What the plugins know. */
export const checkPlugins = (uses: readonly PluginUse[], system: ResolvedSystem, findings: Findings): void => {
  const wasSound = !findings.hasErrors
  for (const { plugin } of uses) {
    try {
      for (const { path, message, hint, code, severity } of plugin.check?.(system) ?? []) {
        const text = hint === undefined ? { message } : { message, hint }
        findings.addText(code ?? 'SYSG_CONFIG_COMBINATION', text, path, { severity })
      }
    } catch (error) {
      // A config with mistakes has gaps; a check that stumbles over one says nothing about the plugin.
      if (wasSound) findings.addThrown(error, plugin.name, 'check', [])
    }
  }
}
