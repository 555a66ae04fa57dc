/** What users and tests find in `.testbed/`. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { renderKubeconfig, type Access } from '../node/kubeconfig.ts';
import type { S3Access, TestBed } from './bed.ts';
import type { Ledger } from './ledger.ts';

const names = ['kubeconfig', 'env', 'testbed.json', 'state'] as const;

/**
 * Writes down the files that `up` makes and begins with an empty state: a checkout that was moved brings its old one along. Logs stay after
 * a failure, so they are not among them.
 */
export async function prepareFiles(ledger: Ledger, directory: string): Promise<void> {
  for (const name of names) ledger.write({ kind: 'path', path: join(directory, name) });
  await rm(join(directory, 'state'), { recursive: true, force: true });
  await removeLogs(directory);
  await mkdir(join(directory, 'state'), { recursive: true });
}

/** `testbed.json` last and by itself: its presence says that the bed is complete. */
export async function writeFiles(bed: TestBed, accesses: readonly Access[]): Promise<void> {
  await writeFile(bed.kubeconfig, renderKubeconfig(accesses), { mode: 0o600 });
  await writeFile(join(bed.directory, 'env'), renderEnv(bed.kubeconfig, bed.s3), { mode: 0o600 });
  await writeBed(bed);
}

export async function writeBed(bed: TestBed): Promise<void> {
  await writeFile(join(bed.directory, 'testbed.json'), `${JSON.stringify(bed, undefined, 2)}\n`, { mode: 0o600 });
}

export async function removeLogs(directory: string): Promise<void> {
  await rm(join(directory, 'logs'), { recursive: true, force: true });
}

/** For `eval "$(cat .testbed/env)"`. */
export function renderEnv(kubeconfig: string, s3: S3Access): string {
  const values = {
    KUBECONFIG: kubeconfig,
    AWS_ACCESS_KEY_ID: s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
    AWS_REGION: s3.region,
    AWS_ENDPOINT_URL: s3.endpoint,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
  };
  return Object.entries(values)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join('');
}
