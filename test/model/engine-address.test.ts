import { describe, expect, it } from 'vitest'
import { defaultEngineSlots, parseEngines } from '../../src/model/engine-address.ts'

describe('the list of engines', () => {
  it('names addresses, each with slots where they are told', () => {
    expect(
      parseEngines('tcp://build-1:1234=3, unix:///run/dagger/engine.sock\ndocker-container://dagger=1'),
    ).toEqual([
      { address: 'tcp://build-1:1234', slots: 3 },
      { address: 'unix:///run/dagger/engine.sock', slots: defaultEngineSlots },
      { address: 'docker-container://dagger', slots: 1 },
    ])
    expect(parseEngines('docker-image://registry.example.org/engine:v1?a=b=2')).toEqual([
      { address: 'docker-image://registry.example.org/engine:v1?a=b', slots: 2 },
    ])
    expect(parseEngines(' ')).toEqual([])
  })

  it.each([
    'build-1:1234',
    '/run/engine.sock',
    'tcp://=4',
    'tcp://a:1=0',
    'tcp://a:1=4096',
    'tcp://a:1,tcp://a:1=2',
  ])('is refused where it says %s', (text) => expect(() => parseEngines(text)).toThrow(/engine|slots|twice/))
})
