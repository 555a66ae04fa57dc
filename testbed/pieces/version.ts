/** How programs tell their version, and which versions will do. Pure. */

const number = /v?(\d+\.\d+(?:\.\d+)?)/;

/** Arguments that make `program` print its version, and the pattern that finds it. */
export function versionProbe(program: string): { readonly args: readonly string[]; readonly pattern: RegExp } {
  if (program === 'kubectl') return { args: ['version', '--client'], pattern: new RegExp(`Client Version: ${number.source}`) };
  if (program === 'etcd') return { args: ['--version'], pattern: new RegExp(`etcd Version: ${number.source}`) };
  if (program === 'coredns') return { args: ['-version'], pattern: new RegExp(`CoreDNS-${number.source}`) };
  if (program === 'containerd-shim-runc-v2') return { args: ['-v'], pattern: new RegExp(`Version:\\s+${number.source}`) };
  if (program === 'socat') return { args: ['-V'], pattern: new RegExp(`socat version ${number.source}`) };
  // containerd and ctr print their import path, which has a v2 in it, before the version.
  if (program === 'containerd' || program === 'ctr') return { args: ['--version'], pattern: new RegExp(`\\s${number.source}`) };
  // Its releases are times; the year is what can be compared.
  if (program === 'minio') return { args: ['--version'], pattern: /RELEASE\.(\d{4})-/ };
  // Called without CNI_COMMAND a plugin tells its version.
  if (['bridge', 'loopback', 'host-local', 'portmap'].includes(program))
    return { args: [], pattern: new RegExp(`plugin ${number.source}`) };
  return { args: ['--version'], pattern: number };
}

/**
 * Is `version` one of `wanted`? `1.36` means any patch of that minor, `>=1.1` that or newer.
 * @example accepts('>=3.5.24', '3.6.16') === true
 */
export function accepts(wanted: string, version: string): boolean {
  if (wanted.startsWith('>=')) return compare(version, wanted.slice(2)) >= 0;
  return version === wanted || version.startsWith(`${wanted}.`);
}

function compare(left: string, right: string): number {
  const a = left.split('.').map(Number);
  const b = right.split('.').map(Number);
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
