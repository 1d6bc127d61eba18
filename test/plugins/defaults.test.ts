/** What plugins are without options, known also where their schemas are not loaded. */
import { expect, it } from 'vitest'
import { controlDefaults } from '../../plugins/src/control/defaults.ts'
import { options as controlOptions } from '../../plugins/src/control/options.ts'
import { healthDefaults } from '../../plugins/src/health/defaults.ts'
import { options as healthOptions } from '../../plugins/src/health/options.ts'
import { logsDefaults } from '../../plugins/src/logs/defaults.ts'
import { options as logsOptions } from '../../plugins/src/logs/options.ts'
import { metricsKey } from '../../plugins/src/metrics/options.ts'
import { optionsOf } from '../../plugins/src/metrics/settings.ts'

it('is what the schemas say', () => {
  expect(controlOptions.parse({})).toEqual(controlDefaults)
  expect(healthOptions.parse({})).toEqual(healthDefaults)
  expect(logsOptions.parse({})).toEqual(logsDefaults)
  expect(metricsKey.parse({})).toEqual(optionsOf({}))
})
