import { describe, expect, it } from 'vitest'
import { exposition, type Collected } from '../../../plugins/src/metrics/exposition.ts'
import { parsedMetrics, parserIsThere } from './prometheus-parser.ts'

const strange = 'back\\slash "quoted"\nline'

const all: readonly Collected[] = [
  {
    name: 'jobs_total',
    help: 'Jobs,\nwith a \\ in the help.',
    type: 'counter',
    samples: [{ labels: { queue: strange, 'wrong-name': 'ä €' }, value: 12345678901 }],
  },
  { name: 'load', help: 'x', type: 'gauge', samples: [{ value: NaN }, { labels: { at: '1' }, value: -Infinity }] },
  { name: 'empty', help: 'x', type: 'gauge', samples: [] },
  {
    name: 'wait_seconds',
    help: 'How long.',
    type: 'histogram',
    samples: [
      {
        labels: { q: 'a' },
        buckets: [
          { le: 1, count: 3 },
          { le: 0.1, count: 2 },
        ],
        sum: 2.5,
        count: 4,
      },
    ],
  },
]

it('is Prometheus’ text format, with everything escaped', () => {
  expect(exposition(all).split('\n')).toEqual([
    '# HELP jobs_total Jobs,\\nwith a \\\\ in the help.',
    '# TYPE jobs_total counter',
    'jobs_total{queue="back\\\\slash \\"quoted\\"\\nline",wrong_name="ä €"} 12345678901',
    '# HELP load x',
    '# TYPE load gauge',
    'load NaN',
    'load{at="1"} -Inf',
    '# HELP wait_seconds How long.',
    '# TYPE wait_seconds histogram',
    'wait_seconds_bucket{q="a",le="0.1"} 2',
    'wait_seconds_bucket{q="a",le="1"} 3',
    'wait_seconds_bucket{q="a",le="+Inf"} 4',
    'wait_seconds_sum{q="a"} 2.5',
    'wait_seconds_count{q="a"} 4',
    '',
  ])
})

describe.skipIf(!parserIsThere)('Prometheus’ own parser (Debian: python3-prometheus-client)', () => {
  it('reads it, and finds what was put in', () => {
    const found = parsedMetrics(exposition(all))
    expect(found.find(({ name }) => name === 'jobs_total')).toMatchObject({
      labels: { queue: strange, wrong_name: 'ä €' },
      value: 12345678901,
    })
    expect(found.filter(({ name }) => name === 'wait_seconds_bucket')).toHaveLength(3)
  })
})
