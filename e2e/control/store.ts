/** The S3 servers of tests that need a store and no cluster with nodes. */
import { provideVersitygw } from '../../testbed/pieces/index.ts';
import { startS3Server, type S3Server, type S3ServerKind } from '../../testbed/s3/loopback.ts';

export { freePort } from '../../testbed/s3/loopback.ts';
export type Store = S3Server;

/** With `readOnly` every write is refused. */
export async function startStore(options: { readOnly: boolean; signal: AbortSignal }): Promise<Store> {
  const program = await provideVersitygw({ signal: options.signal, onProgress: () => {} });
  return await startS3Server('versitygw', { program, ...options });
}

/** Both programs, as the runner made them ready (TRANSHIP_S3_SERVERS), and for `skip` the reason why there are none. */
export const s3Programs: { paths: Readonly<Partial<Record<S3ServerKind, string>>>; skip: string | false } = read();

function read(): typeof s3Programs {
  const given = process.env['TRANSHIP_S3_SERVERS'];
  if (given === undefined)
    return { paths: {}, skip: 'needs two S3 servers in TRANSHIP_S3_SERVERS: make test ARGS="--only control s3" brings them' };
  return { paths: JSON.parse(given) as Record<S3ServerKind, string>, skip: false };
}

export async function startStoreOf(kind: S3ServerKind, region?: string): Promise<S3Server> {
  const need = { program: s3Programs.paths[kind] ?? '', signal: AbortSignal.timeout(240_000) };
  return await startS3Server(kind, region === undefined ? need : { ...need, region });
}
