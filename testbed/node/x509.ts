/**
 * Just enough X.509 for a cluster of one machine: EC P-256 keys, certificates signed with ECDSA and SHA-256 (RFC 5280). Node has the
 * cryptography but writes no certificates; openssl as a program takes 40 ms for each of thirty.
 */
import { createHash, createPublicKey, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';
import { isIPv4 } from 'node:net';

export type Issued = { readonly certificate: string; readonly key: string };
export type Authority = Issued & { readonly subject: Subject; readonly privateKey: KeyObject };
export type Subject = { readonly commonName: string; readonly organization?: string };
export type Request = {
  readonly subject: Subject;
  readonly usage: 'server' | 'client';
  /** DNS names and IPv4 addresses that a server answers for. */
  readonly names?: readonly string[];
};

const validForMs = 10 * 365 * 24 * 3600 * 1000;

export function createAuthority(commonName: string, now: Date = new Date()): Authority {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject: Subject = { commonName };
  const extensions = [
    extension('2.5.29.19', true, sequence(boolean(true))),
    // keyCertSign and cRLSign and digitalSignature
    extension('2.5.29.15', true, tlv(0x03, Buffer.from([1, 0x86]))),
    extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
  ];
  const certificate = signed({ subject, issuer: subject, publicKey, extensions, now }, privateKey);
  return { certificate, key: pem(privateKey), subject, privateKey };
}

/** A certificate for `request`, signed by `authority`, with a new key. */
export function issue(authority: Authority, request: Request, now: Date = new Date()): Issued {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = (request.names ?? []).map((dns) =>
    isIPv4(dns) ? tlv(0x87, Buffer.from(dns.split('.').map(Number))) : tlv(0x82, Buffer.from(dns, 'ascii')),
  );
  const extensions = [
    extension('2.5.29.19', true, sequence()),
    extension('2.5.29.15', true, tlv(0x03, Buffer.from([7, 0x80]))),
    extension('2.5.29.37', false, sequence(oid(request.usage === 'server' ? '1.3.6.1.5.5.7.3.1' : '1.3.6.1.5.5.7.3.2'))),
    extension('2.5.29.14', false, octets(keyIdentifier(publicKey))),
    extension('2.5.29.35', false, sequence(tlv(0x80, keyIdentifier(createPublicKey(authority.privateKey))))),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', false, sequence(...names))]),
  ];
  const certificate = signed({ subject: request.subject, issuer: authority.subject, publicKey, extensions, now }, authority.privateKey);
  return { certificate, key: pem(privateKey) };
}

type Body = { subject: Subject; issuer: Subject; publicKey: KeyObject; extensions: Buffer[]; now: Date };

function signed(body: Body, issuerKey: KeyObject): string {
  const algorithm = sequence(oid('1.2.840.10045.4.3.2'));
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x3f) | 0x40; // positive and of full length
  const toSign = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    algorithm,
    name(body.issuer),
    // A day back: clocks of pods and host may differ by a little, and a clock may be set back.
    sequence(utcTime(new Date(body.now.getTime() - 86_400_000)), utcTime(new Date(body.now.getTime() + validForMs))),
    name(body.subject),
    body.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...body.extensions)),
  );
  const signature = sign('sha256', toSign, issuerKey);
  const der = sequence(toSign, algorithm, tlv(0x03, Buffer.concat([Buffer.from([0]), signature])));
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/(.{64})(?!$)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

/** RFC 5280 4.2.1.2 method 1 asks for the hash of the key's bits; the last 65 bytes of a P-256 SPKI are exactly these. */
function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }).subarray(-65))
    .digest();
}

function name(subject: Subject): Buffer {
  const part = (id: string, value: string): Buffer => tlv(0x31, sequence(oid(id), tlv(0x0c, Buffer.from(value, 'utf8'))));
  return sequence(
    ...(subject.organization === undefined ? [] : [part('2.5.4.10', subject.organization)]),
    part('2.5.4.3', subject.commonName),
  );
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

function utcTime(date: Date): Buffer {
  return tlv(0x17, Buffer.from(date.toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z', 'ascii'));
}

function tlv(tag: number, value: Buffer): Buffer {
  const length = value.length;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), value]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function octets(value: Buffer): Buffer {
  return tlv(0x04, value);
}

function boolean(value: boolean): Buffer {
  return tlv(0x01, Buffer.from([value ? 0xff : 0]));
}

function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const bytes = [first! * 40 + second!];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = arc >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}
