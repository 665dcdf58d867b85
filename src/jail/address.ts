import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

/** Addresses that are not the public internet: IANA's special-purpose registries, and clouds' own services. */
const special: readonly [network: string, bits: number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's machine service: a public address that only virtual machines there can reach.
  ['168.63.129.16', 32],
  // In 2000::/3, which is all that is public of IPv6: tunnels that hide an IPv4 address, and reserved ones.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]

const refused = new BlockList()
for (const [network, bits] of special) refused.addSubnet(network, bits, family(network))
const globalIpv6 = new BlockList()
globalIpv6.addSubnet('2000::', 3, 'ipv6')

/** Whether an address belongs to the public internet, and not to this machine or its surroundings. */
export function isPublic(address: string): boolean {
  if (isIP(address) === 0) return false
  // An IPv4 address in the dress of IPv6 is none of 2000::/3, and so never public.
  if (isIP(address) === 6 && !globalIpv6.check(address, 'ipv6')) return false
  return !refused.check(address, family(address)) && !isOurOwn(address)
}

/** A range of addresses, such as 10.0.0.0/8; `null`: the text is none. */
export function parseRange(text: string): BlockList | null {
  const [network = '', bits, ...more] = text.split('/')
  const version = isIP(network)
  if (version === 0 || bits === undefined || more.length > 0 || !/^\d{1,3}$/.test(bits)) return null
  if (Number(bits) > (version === 4 ? 32 : 128)) return null
  const range = new BlockList()
  range.addSubnet(network, Number(bits), family(network))
  return range
}

/** Whether a range holds an address. */
export function inRange(range: BlockList, address: string): boolean {
  return isIP(address) !== 0 && range.check(address, family(address))
}

// What listens on this machine is no business of a sandbox, also under the machine's public address.
function isOurOwn(address: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some((one) => one.address === address))
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4'
}
