/** Address ranges, without a package: node:net knows blocks. */
import { BlockList, isIP } from 'node:net';

/** Is an address, or the network address of a range, inside one of the ranges? Malformed ranges hold nothing. */
export function isInside(address: string, ranges: readonly string[]): boolean {
  const [host = ''] = address.split('/');
  const family = isIP(host);
  if (family === 0) return false;
  const list = new BlockList();
  for (const range of ranges) {
    const [net = '', length = ''] = range.split('/');
    if (isIP(net) !== family || !/^\d{1,3}$/.test(length) || Number(length) > (family === 4 ? 32 : 128)) continue;
    list.addSubnet(net, Number(length), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Do two ranges share an address? */
export function overlaps(left: string, right: string): boolean {
  return isInside(left, [right]) || isInside(right, [left]);
}
