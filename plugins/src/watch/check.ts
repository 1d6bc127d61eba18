/** Combinations that cannot work. */
import type { ConfigIssue, ResolvedSystem } from '@systemg/core'

/** A scheduled run reads its files anew each time: there is nothing to restart. */
export const cronWithWatch = ({ services }: ResolvedSystem): readonly ConfigIssue[] =>
  Object.values(services)
    .filter((service) => service.watch !== undefined && 'cron' in service && service.cron !== undefined)
    .map(({ name }) => ({
      path: ['services', name, 'watch'],
      message: `\`${name}\` has both \`watch\` and \`cron\`.`,
      hint: 'A scheduled run reads its files anew each time: remove `watch`.',
    }))
