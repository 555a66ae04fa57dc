import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bedId, candidatePorts, candidateRanges, freeRange, layOut, overlaps, portsPerBed } from './addresses.ts';

test('a bed finds itself again by path and name, and another name is another bed', () => {
  assert.equal(bedId('/home/a/tranship', ''), bedId('/home/a/tranship', ''));
  assert.notEqual(bedId('/home/a/tranship', ''), bedId('/home/a/tranship', 'second'));
  assert.notEqual(bedId('/home/a', 'b'), bedId('/home/b', 'a'));
  assert.match(bedId('/home/a/tranship', ''), /^[0-9a-f]{6}$/);
});

test('all candidates of a bed are different, and so are the first ones of two beds', () => {
  const ranges = candidateRanges('00007f');
  assert.equal(ranges[0], '10.103.240.0/20');
  assert.equal(ranges[1], '10.96.0.0/20'); // goes round
  assert.equal(new Set(ranges).size, 128 + 32 + 64);
  for (const [index, range] of ranges.entries()) {
    assert.equal(
      ranges.findIndex((other) => overlaps(range, other)),
      index,
    );
  }
  const ports = candidatePorts('000001');
  assert.equal(ports[0], 21_000 + portsPerBed);
  assert.ok(ports.every((port) => port >= 21_000 && port + portsPerBed <= 32_768));
});

test('a range moves on when a route or another bed has it, but not for the default route', () => {
  const candidates = ['10.96.0.0/20', '10.96.16.0/20', '198.18.0.0/20'];
  assert.equal(freeRange(candidates, []), '10.96.0.0/20');
  assert.equal(freeRange(candidates, ['0.0.0.0/0']), '10.96.0.0/20');
  assert.equal(freeRange(candidates, ['10.96.15.7']), '10.96.16.0/20');
  assert.equal(freeRange(candidates, ['10.96.0.0/20', '10.96.16.0/24']), '198.18.0.0/20');
  assert.equal(freeRange(candidates, ['10.0.0.0/8']), '198.18.0.0/20');
  assert.equal(freeRange(candidates, ['10.0.0.0/8', '198.18.0.0/15']), undefined);
});

test('nothing inside a bed overlaps, and names fit into a network interface', () => {
  const bed = layOut('abcdef', '10.101.112.0/20');
  const { source, target } = bed.nodes;
  const parts = [`${bed.gateway}/24`, source.podRange, source.serviceRange, target.podRange, target.serviceRange];
  for (const [index, part] of parts.entries()) {
    assert.ok(overlaps(part, bed.range));
    for (const other of parts.slice(index + 1)) assert.equal(overlaps(part, other), false, `${part} ${other}`);
  }
  assert.deepEqual(
    [bed.gateway, source.address, target.address, source.dns, target.firstService],
    ['10.101.112.254', '10.101.112.1', '10.101.112.2', '10.101.116.10', '10.101.120.1'],
  );
  assert.ok(bed.bridge.length <= 15);
});
