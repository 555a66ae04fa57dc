/** Whole copies through a network that fails all the time, and copies by somebody who may only list and read. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PutBucketPolicyCommand, S3Client } from '@aws-sdk/client-s3';
import { createLineage, openArchive } from '../../src/archive/index.ts';
import { codeOf, sentenceOf } from '../../src/errors.ts';
import { openLocation, parseLocationUrl, probeLocation, type LocationSpec } from '../../src/location/index.ts';
import type { CopyInJob, CopyOutJob, VerifyJob } from '../../src/mover/protocol.ts';
import { portrait, runHere } from '../../src/mover/rig.ts';
import type { S3Server } from '../../testbed/s3/loopback.ts';
import { faultProxy, type FaultProxy, type Harm } from './fault-proxy.ts';
import { s3Programs, startStoreOf } from './store.ts';

type Free =
  | Omit<CopyOutJob, 'version' | 'archive' | 'volume' | 'streams'>
  | Omit<CopyInJob, 'version' | 'archive' | 'volume' | 'streams'>
  | Omit<VerifyJob, 'version' | 'archive' | 'volume' | 'streams'>;

const scratch = mkdtempSync(join(tmpdir(), 'tranship-s3-copy-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
const source = { mode: 'Filesystem' as const, path: join(scratch, 'source') };

before(() => {
  mkdirSync(join(source.path, 'many'), { recursive: true });
  for (let number = 0; number < 3; number++) writeFileSync(join(source.path, `big-${number}`), randomBytes((8 << 20) + number));
  for (let number = 0; number < 200; number++) writeFileSync(join(source.path, 'many', `${number}`), `${number} `.repeat(number));
});

function specOf(
  server: S3Server,
  endpoint: string,
  accessKeyId = server.accessKeyId,
  secretAccessKey = server.secretAccessKey,
): LocationSpec {
  return parseLocationUrl(`s3://${server.bucket}/copy`, { endpoint, region: server.region, credentials: { accessKeyId, secretAccessKey } });
}

for (const kind of ['versitygw', 'minio'] as const)
  describe(`a copy through faults: ${kind}`, { skip: s3Programs.skip }, () => {
    let server: S3Server;
    let proxy: FaultProxy;
    before(async () => {
      server = await startStoreOf(kind);
      proxy = await faultProxy(server.endpoint);
    });
    after(async () => {
      await proxy?.close();
      await server?.close();
    });

    it('ends with the same bytes, whatever was cut, refused, lost or changed once', { timeout: 900_000 }, async () => {
      const location = openLocation(specOf(server, server.endpoint));
      const { lineage, key } = await createLineage(location);
      await location.close();
      const run = async (job: Free): Promise<unknown> =>
        await runHere({
          version: 1,
          archive: { location: specOf(server, proxy.endpoint), lineage, key },
          volume: 'shop/data',
          streams: 2,
          ...job,
        });
      // Each request is harmed the first time that it comes, in turn by each of these; what changes bytes, once per object too.
      const harms: Harm[] = [
        { do: 'cut' },
        { do: 'lose' },
        { do: 'answer', status: 503, code: 'SlowDown', headers: { 'retry-after': '0' } },
        { do: 'half', end: 'reset' },
        { do: 'flip', what: 'answer' },
        { do: 'slow', ms: 5 },
        { do: 'answer', status: 429, code: 'TooManyRequests' },
        { do: 'half', end: 'close' },
        { do: 'flip', what: 'request' },
      ];
      const harmed = new Map<string, Harm>();
      let next = 0;
      proxy.otherwise = (verb, path) => {
        if (harmed.has(`${verb} ${path}`)) return { do: 'none' };
        let harm = harms[next++ % harms.length] ?? { do: 'none' };
        // Bytes of a listing are not under our tags; TLS keeps them, and a proxy has none.
        if (harm.do === 'flip' && ((harm.what === 'answer') !== (verb === 'get') || verb === 'list')) harm = { do: 'cut' };
        harmed.set(`${verb} ${path}`, harm);
        return harm;
      };
      await run({ op: 'copy-out', round: 0, source });
      const target = { mode: 'Filesystem' as const, path: join(scratch, `target-${kind}`) };
      mkdirSync(target.path);
      await run({ op: 'copy-in', round: 0, fresh: true, target, verify: 'All' });
      assert.deepEqual(portrait(target.path), portrait(source.path));
      const kinds = new Set([...harmed.values()].map((harm) => harm.do));
      assert.ok(
        ['cut', 'lose', 'answer', 'half'].every((each) => kinds.has(each as Harm['do'])),
        [...kinds].join(),
      );
      const flips = [...harmed.values()].filter((harm) => harm.do === 'flip').length;

      // Always changed: an end in order, with the object's name.
      proxy.otherwise = (verb) => (verb === 'get' ? { do: 'flip', what: 'answer' } : { do: 'none' });
      rmSync(target.path, { recursive: true });
      mkdirSync(target.path);
      await assert.rejects(run({ op: 'copy-in', round: 0, fresh: true, target, verify: 'None' }), (error: Error) => {
        assert.match(error.message, /lineages\/|lineage/);
        return ['Integrity', 'Unauthorized', 'Unsupported'].includes(codeOf(error));
      });
      assert.ok(flips > 0, 'bytes were changed on the way');
    });
  });

/** The policies of docs/locations.md, as people copy them. */
function policyOf(who: 'exporter' | 'importer'): { Statement: { Action: string[]; Resource: string }[] } {
  const page = readFileSync(join(import.meta.dirname, '../../docs/locations.md'), 'utf8');
  const text = new RegExp(`\`\`\`json ${who}\\n(.*?)\`\`\``, 's').exec(page)?.[1] ?? '';
  return JSON.parse(text) as ReturnType<typeof policyOf>;
}

describe('rights', { skip: s3Programs.skip }, () => {
  let server: S3Server;
  let admin: S3Client;
  const users = { exporter: randomBytes(12).toString('hex'), importer: randomBytes(12).toString('hex') };
  before(async () => {
    server = await startStoreOf('versitygw');
    const { accessKeyId, secretAccessKey, endpoint, region } = server;
    admin = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } });
    for (const [access, secret] of Object.entries(users)) {
      const login = ['--access', accessKeyId, '--secret', secretAccessKey, '--endpoint-url', endpoint, '--region', region];
      const user = ['--access', access, '--secret', secret, '--role', 'user'];
      await promisify(execFile)(s3Programs.paths.versitygw ?? '', ['admin', ...login, 'create-user', ...user]);
    }
  });
  after(async () => {
    admin?.destroy();
    await server?.close();
  });

  /** Gives each user the rights of the page, less those named. */
  async function grant(without: string[] = []): Promise<void> {
    const statements = (['exporter', 'importer'] as const).flatMap((who) =>
      policyOf(who).Statement.map((statement) => ({
        ...statement,
        Principal: { AWS: [who] },
        Action: statement.Action.filter((action) => who === 'importer' || !without.includes(action)),
        Resource: statement.Resource.replace('moves', server.bucket),
      })),
    );
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: statements.filter(({ Action }) => Action.length > 0) });
    await admin.send(new PutBucketPolicyCommand({ Bucket: server.bucket, Policy }));
  }
  const as = (who: keyof typeof users): LocationSpec => specOf(server, server.endpoint, who, users[who]);

  it('an importer needs list and get only: check, copy, verification, restore points, objects', { timeout: 480_000 }, async () => {
    await grant();
    const exporter = openLocation(as('exporter'));
    assert.deepEqual(await probeLocation(exporter), { list: true, read: true, write: true, delete: true, conditional: true, refused: {} });
    const { lineage, key } = await createLineage(exporter);
    const archive = await openArchive({ location: exporter, lineage, key });
    await archive.writeSection('p1', 'objects', [{ kind: 'Secret' }]);
    const rest = { name: 'p1', createdAt: '2026-01-01T00:00:00Z', cluster: { id: 'i', name: 'n', version: 'v' }, objects: 1 };
    await archive.commit({ ...rest, lineage, namespaces: ['shop'], volumes: [] });
    const run = async (who: keyof typeof users, job: Free): Promise<unknown> =>
      await runHere({ version: 1, archive: { location: as(who), lineage, key }, volume: 'shop/data', streams: 2, ...job });
    await run('exporter', { op: 'copy-out', round: 0, source });
    await exporter.close();

    const importer = openLocation(as('importer'));
    const { refused, ...may } = await probeLocation(importer);
    assert.deepEqual(may, { list: true, read: true, write: false, delete: false, conditional: false });
    assert.match(sentenceOf(refused.write), /s3:PutObject/);
    const target = { mode: 'Filesystem' as const, path: join(scratch, 'target-importer') };
    mkdirSync(target.path);
    await run('importer', { op: 'copy-in', round: 0, fresh: true, target, verify: 'Touched' });
    await run('importer', { op: 'verify', round: 0, target });
    assert.deepEqual(portrait(target.path), portrait(source.path));
    const there = await openArchive({ location: importer, lineage, key });
    assert.equal((await there.restorePoints()).length, 1);
    assert.deepEqual(await there.readSection('p1', 'objects'), [{ kind: 'Secret' }]);
    await assert.rejects(run('importer', { op: 'copy-out', round: 1, source }), (error) => codeOf(error) === 'Forbidden');
    await importer.close();
  });

  for (const [action, right] of [
    ['s3:ListBucket', 'list'],
    ['s3:PutObject', 'write'],
    ['s3:GetObject', 'read'],
    ['s3:DeleteObject', 'delete'],
  ] as const)
    it(`the probe names ${action} when it is missing, and nothing else`, async () => {
      await grant([action]);
      const location = openLocation(as('exporter'));
      const { refused, ...may } = await probeLocation(location);
      assert.equal(may[right], false);
      assert.match(sentenceOf(refused[right]), new RegExp(action));
      await location.close();
    });
});
