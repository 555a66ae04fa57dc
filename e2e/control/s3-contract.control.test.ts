/** The contract of locations on two real S3 servers that share no code: what one takes by accident the other refuses. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import { openLocation, parseLocationUrl, type Location } from '../../src/location/index.ts';
import { locationContract } from '../../src/location/location.contract.ts';
import type { S3Server, S3ServerKind } from '../../testbed/s3/loopback.ts';
import { s3Programs, startStoreOf } from './store.ts';

const { skip } = s3Programs;
/** With what a prefix may have beyond the characters of names: it must survive signing and listing. */
const prefix = 'Some/pre=fix_1.2-3';

for (const kind of ['versitygw', 'minio'] as const) describe(kind, { skip }, () => onServer(kind));

function onServer(kind: S3ServerKind): void {
  let server: S3Server;
  before(async () => {
    server = await startStoreOf(kind);
  });
  after(async () => await server?.close());

  function open(): Location {
    const { bucket, endpoint, region, accessKeyId, secretAccessKey } = server;
    return openLocation(parseLocationUrl(`s3://${bucket}/${prefix}`, { endpoint, region, credentials: { accessKeyId, secretAccessKey } }));
  }
  /** Behind versitygw's back, because its durable puts take a minute for so many. */
  async function fill(under: string, names: string[]): Promise<void> {
    if (server.files === undefined) return await putAll(names);
    const directory = join(server.files, prefix);
    mkdirSync(join(directory, under), { recursive: true });
    for (const name of names) writeFileSync(join(directory, name), '');
  }
  async function putAll(names: string[]): Promise<void> {
    const location = open();
    const queue = names.values();
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (const name of queue) await location.put(name, Buffer.alloc(0));
      }),
    );
    await location.close();
  }

  locationContract(async () => open(), { fill });
}
