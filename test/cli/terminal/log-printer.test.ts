import type { LogRecord } from '@systemg/plugins/logs'
import { describe, expect, it } from 'vitest'
import { createLogPrinter, type LogFormat } from '../../../cli/src/terminal/log-printer.ts'
import { fakeTerminal, type FakeOptions } from './fake-terminal.ts'

const record = (service: string, line: string): LogRecord => ({
  time: '2026-01-31T12:00:00.000Z',
  service,
  instance: `${service}-1`,
  stream: 'stdout',
  line,
})

const printed = (records: readonly LogRecord[], format: Partial<LogFormat> = {}, options: FakeOptions = {}) => {
  const terminal = fakeTerminal(options)
  const printer = createLogPrinter(terminal, { json: false, timestamps: false, services: undefined, ...format })
  for (const one of records) printer.add(one)
  printer.flush()
  return terminal
}

describe('log lines', () => {
  it('are the bytes that were written, also where they are no text', () => {
    const bytes = Buffer.from([0xff, 0x00, 0x80, 0x0d])
    const { time, service, instance, stream } = record('api', '')
    const binary = { time, service, instance, stream, base64: bytes.toString('base64') }
    const terminal = printed([record('api', '\u001B[31mred\u001B[0m ünï\r'), binary])
    expect(Buffer.from(terminal.stdoutBytes)).toEqual(
      Buffer.concat([Buffer.from('\u001B[31mred\u001B[0m ünï\r\n'), bytes, Buffer.from('\n')]),
    )
  })

  it('have the name of the service before them, in one column and each in its colour', () => {
    const lines = [record('api', 'a'), record('db.main', ''), record('a-new-one', 'c'), record('api', 'd')]
    expect(printed(lines, { services: ['api', 'db.main'] }).stdout).toBe(
      'api     | a\ndb.main | \na-new-one | c\napi       | d\n',
    )
    const coloured = printed(lines, { services: ['api', 'db.main'] }, { color: true }).stdout
    expect(coloured).toContain('<cyan api     |> a\n<yellow db.main |> \n')
  })

  it('have their time before them when it is asked for', () => {
    expect(printed([record('api', 'a')], { timestamps: true, services: ['api', 'db'] }).stdout).toBe(
      'api | 2026-01-31T12:00:00.000Z a\n',
    )
  })

  it('are objects for programs, without what a notification adds', () => {
    const notified = { ...record('api', 'a'), id: 7 }
    expect(printed([notified], { json: true, services: ['api', 'db'], timestamps: true }).stdout).toBe(
      '{"time":"2026-01-31T12:00:00.000Z","service":"api","instance":"api-1","stream":"stdout","line":"a"}\n',
    )
  })
})
