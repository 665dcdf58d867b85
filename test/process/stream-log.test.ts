import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { createStreamLog } from '../../src/process/stream-log.ts'

function logged(least: 'debug' | 'info' | 'warn' | 'error') {
  let text = ''
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString()
      done()
    },
  })
  const log = createStreamLog(stream, least, (line) => line.replaceAll('s3cret', '***'))
  return {
    log,
    lines: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as object),
  }
}

it('a log is one line an event, with its facts, and without secrets in any of them', () => {
  const { log, lines } = logged('info')
  const cause = new Error('of s3cret')
  log.info('attempt ended', { taskId: '01', attempt: 2, bytes: 10n })
  log.error('a s3cret\nmessage', { error: new Error('failed', { cause }), nested: { key: 's3cret' } })
  expect(lines()).toEqual([
    {
      level: 'info',
      time: expect.any(String),
      taskId: '01',
      attempt: 2,
      bytes: '10',
      message: 'attempt ended',
    },
    {
      level: 'error',
      time: expect.any(String),
      message: 'a ***\nmessage',
      nested: { key: '***' },
      error: {
        name: 'Error',
        message: 'failed',
        stack: expect.any(Array),
        cause: { name: 'Error', message: 'of ***', stack: expect.any(Array) },
      },
    },
  ])
})

it('a log leaves out what is below its level', () => {
  const { log, lines } = logged('warn')
  log.info('one')
  log.warn('two')
  expect(lines()).toEqual([expect.objectContaining({ message: 'two' })])
})
