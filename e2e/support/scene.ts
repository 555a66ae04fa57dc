/** A scenario that moves an application in a namespace of its own from one cluster of the bed to the other. Gone when the test ends. */
import { rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { TestContext } from 'node:test';
import type { KubeClient } from '../../src/kube/index.ts';
import type { TestBed } from '../../testbed/index.ts';
import { clientOf, freshHub, theBed, userEnvironment } from './bed.ts';
import { removeNamespace } from './small-app.ts';

export interface Scene {
  bed: TestBed;
  source: KubeClient;
  target: KubeClient;
  /** Name of the migration; another one in every run. */
  name: string;
  /** Namespace on the source, and what it is called on the target. */
  from: string;
  to: string;
  hubFile: string;
  /** For the CLI. */
  env: NodeJS.ProcessEnv;
  /** Flags of `migrate` and `plan`: this namespace, class fast to class silver, through the bed's bucket. Later flags win. */
  args: string[];
}

/** @param what begins every name of this scenario */
export function openScene(t: TestContext, what: string): Scene {
  const bed = theBed();
  const source = clientOf(bed, 'source');
  const target = clientOf(bed, 'target');
  const hubFile = freshHub();
  const name = `${what}-${Date.now().toString(36)}`;
  const from = `${name}-app`;
  const to = `${name}-new`;
  t.after(async () => {
    await Promise.all([removeNamespace(source, from), removeNamespace(target, to)]);
    await source.close();
    await target.close();
    rmSync(dirname(hubFile), { recursive: true });
  });
  const args = ['--from', 'source', '--to', 'target', '-n', from, '--map-namespace', `${from}=${to}`];
  args.push('--map-storage-class', 'fast=silver', '--location', `s3://${bed.s3.bucket}/${name}`, '--name', name);
  return { bed, source, target, name, from, to, hubFile, env: userEnvironment(bed, { TRANSHIP_HUB: hubFile }), args };
}
