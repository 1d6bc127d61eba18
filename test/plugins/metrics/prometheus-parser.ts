/** The parser of Prometheus' client for Python, where it is installed. */
import { spawnSync } from 'node:child_process'

const script = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([
  {"family": f.name, "type": f.type, "help": f.documentation, "name": s.name, "labels": s.labels, "value": repr(s.value)}
  for f in text_string_to_metric_families(sys.stdin.read()) for s in f.samples
]))`

export interface ParsedSample {
  readonly family: string
  readonly type: string
  readonly help: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Debian's own knows what Debian has installed, whichever comes first on the path. */
const python = ['python3', '/usr/bin/python3'].find(
  (program) => spawnSync(program, ['-c', 'import prometheus_client']).status === 0,
)

export const parserIsThere = python !== undefined

/** @throws what the parser says of a text that it does not understand. */
export const parsedMetrics = (text: string): readonly ParsedSample[] => {
  const { status, stdout, stderr } = spawnSync(python ?? 'python3', ['-c', script], { input: text, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return (JSON.parse(stdout) as (Omit<ParsedSample, 'value'> & { value: string })[]).map((sample) => ({
    ...sample,
    value: Number(sample.value),
  }))
}
