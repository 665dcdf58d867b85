import { describe, expect, it } from 'vitest'
import { isPublic } from '../../src/jail/address.ts'
import { isListed, OperatorRules } from '../../src/jail/egress-rules.ts'
import { refusedHost } from '../../src/jail/refused-host.ts'

describe('addresses', () => {
  it.each(['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111'])('%s is public', (address) => {
    expect(isPublic(address)).toBe(true)
  })

  it.each([
    '0.0.0.0',
    '10.1.2.3',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.254',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '192.168.1.1',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:8.8.8.8',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'ff02::1',
    'no address',
  ])('%s is not', (address) => {
    expect(isPublic(address)).toBe(false)
  })
})

describe('what a request may ask for', () => {
  it.each([
    [['*'], 'example.org', true],
    [['*'], '*.example.org', true],
    [['*'], 'localhost', false],
    [['*'], 'localhost:8080', false],
    [['*'], '127.0.0.1:8080', false],
    [['*'], '[::1]:8080', false],
    [['*'], '192.168.0.1', false],
    [['*'], '169.254.169.254', false],
    [['*', '127.0.0.1:8080'], '127.0.0.1:8080', true],
    [['*', '127.0.0.1:8080'], '127.0.0.1:8081', false],
    [['*', '127.0.0.1'], '127.0.0.1', false],
    [['*', '10.0.0.0/8'], '10.9.8.7:3000', true],
    [['*', '10.0.0.0/8'], '11.0.0.1', true],
    [['10.0.0.0/8'], '11.0.0.1', false],
    [['10.0.0.0/8'], 'inside.example.org', true],
    [['example.org'], 'example.org', true],
    [['example.org'], 'example.org:8443', false],
    [['example.org'], 'www.example.org', false],
    [['*.example.org'], 'www.example.org', true],
    [['*.example.org'], '*.example.org', true],
    [['*.example.org'], 'badexample.org', false],
    [[], 'example.org', false],
  ])('under %j, %s: %s', (setting, host, allowed) => {
    const why = refusedHost(setting)(host)
    if (allowed) expect(why).toBeNull()
    else expect(why).toMatch(/NIGHTSHIFT_NETWORK$/)
  })
})

describe('an address that was looked up', () => {
  const to = { host: 'evil.example.org', port: 443 }

  it('is judged by itself, whatever name stands for it', () => {
    const rules = new OperatorRules(['*'])
    expect(rules.refusesAddress(to, '93.184.216.34')).toBeNull()
    for (const address of ['127.0.0.1', '::1', '169.254.169.254', '10.0.0.1', '::ffff:10.0.0.1']) {
      expect(rules.refusesAddress(to, address), address).toContain('private network')
    }
  })

  it('may be private where the operator names host and port, or the range', () => {
    expect(new OperatorRules(['evil.example.org:443']).refusesAddress(to, '10.0.0.1')).toBeNull()
    expect(new OperatorRules(['evil.example.org']).refusesAddress(to, '10.0.0.1')).not.toBeNull()
    expect(new OperatorRules(['10.0.0.0/24']).refusesAddress(to, '10.0.0.1')).toBeNull()
    expect(new OperatorRules(['10.0.0.0/24']).refusesAddress(to, '93.184.216.34')).not.toBeNull()
  })
})

describe('the hosts of a task', () => {
  it('are matched exactly, by suffix or with a port', () => {
    const hosts = ['example.org', '*.cdn.example.org', 'other.org:8443', '[::1]:80']
    const listed = (host: string, port: number) => isListed(hosts, { host, port })
    expect(listed('example.org', 443) && listed('example.org', 80)).toBe(true)
    expect(listed('a.cdn.example.org', 443) && listed('other.org', 8443) && listed('::1', 80)).toBe(true)
    expect(listed('example.org', 22)).toBe(false)
    expect(listed('cdn.example.org', 443)).toBe(false)
    expect(listed('notexample.org', 443)).toBe(false)
    expect(listed('example.org.evil.net', 443)).toBe(false)
    expect(listed('other.org', 443)).toBe(false)
  })
})
