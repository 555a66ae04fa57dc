/** What a scenario on the two clusters stands on: the bed, clients of both sides, and the CLI as a user calls it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadKubeconfig, openKube, type KubeClient } from '../../src/kube/index.ts';
import { readTestBed, type TestBed } from '../../testbed/index.ts';

export const noBed =
  process.env['TRANSHIP_E2E'] === '1' ? false : 'no test bed: set TRANSHIP_E2E=1 with a running one (make test starts its own)';

export function theBed(): TestBed {
  const bed = readTestBed();
  if (bed === undefined) throw new Error('TRANSHIP_E2E is set, but no test bed is described in .testbed');
  return bed;
}

export function clientOf(bed: TestBed, side: 'source' | 'target'): KubeClient {
  const kubeconfig = loadKubeconfig({ path: bed.kubeconfig });
  return openKube(kubeconfig.access(bed.clusters[side].context), { name: side });
}

/** The environment of a user who has sourced `.testbed/env`, with an embedded hub of the scenario's own. */
export function userEnvironment(bed: TestBed, more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { AWS_PROFILE: _profile, ...rest } = process.env;
  return {
    ...rest,
    KUBECONFIG: bed.kubeconfig,
    AWS_ACCESS_KEY_ID: bed.s3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: bed.s3.secretAccessKey,
    AWS_REGION: bed.s3.region,
    AWS_ENDPOINT_URL_S3: bed.s3.endpoint,
    ...more,
  };
}

/** A fresh embedded hub file. */
export function freshHub(): string {
  return join(mkdtempSync(join(tmpdir(), 'tranship-e2e-')), 'hub.db');
}

export interface Finished {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

export interface Started {
  child: ChildProcess;
  finished: Promise<Finished>;
}

/** Starts `./bin/tranship` in its own process group, so that a kill takes the shell wrapper's node as well. */
export function startCli(args: readonly string[], env: NodeJS.ProcessEnv): Started {
  const program = join(import.meta.dirname, '..', '..', 'bin', 'tranship');
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { stdout, stderr } = child;
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const finished = Promise.all([ended, text(stdout), text(stderr)]).then(([end, out, err]) => ({ ...end, stdout: out, stderr: err }));
  return { child, finished };
}

export async function runCli(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Finished> {
  return await startCli(args, env).finished;
}
