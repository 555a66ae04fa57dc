/** What people read on the terminal. */
import { dirname, relative } from 'node:path';
import type { LightBed } from '../light/bed.ts';
import { bedDirectory, checkoutPath, type TestBed } from './bed.ts';
import type { Progress } from './options.ts';

/** A progress printer: every line with the seconds since now. */
export function stopwatch(): Progress {
  const start = performance.now();
  return (line) => console.log(`${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s  ${line}`);
}

export function printBed(bed: TestBed): void {
  const directory = relative(process.cwd(), bed.directory) || '.';
  const { source, target } = bed.clusters;
  const row = (cluster: typeof source): string =>
    `  ${cluster.context.padEnd(7)} Kubernetes ${cluster.version}, ${cluster.server}, storage classes ${cluster.storageClasses.join(', ')}`;
  console.log(`
Contexts in ${directory}/kubeconfig
${row(source)}
${row(target)}
S3 (made-up credentials, the same URL from here and from pods)
  ${bed.s3.endpoint}  region ${bed.s3.region}  bucket ${bed.s3.bucket}
  access key ${bed.s3.accessKeyId}  secret key ${bed.s3.secretAccessKey}

Look around
  eval "$(cat ${directory}/env)"; PATH=$PATH:${dirname(bed.kubectl)}
  kubectl --context source get pods -A
End it
  ${endCommand(bed.directory)}`);
}

function endCommand(directory: string): string {
  const main = relative(process.cwd(), `${checkoutPath()}/testbed/main.ts`);
  const node = relative(process.cwd(), `${checkoutPath()}/tools/node`);
  const named = /\/named\/([^/]+)$/.exec(directory)?.[1];
  if (named !== undefined) return `TRANSHIP_TESTBED_NAME=${named} ${node} ${main} down`;
  return process.cwd() === checkoutPath() ? 'make testbed-down' : `${node} ${main} down`;
}

export function printLight(bed: LightBed): void {
  console.log('');
  for (const cluster of bed.clusters) {
    console.log(`${cluster.context}  Kubernetes ${cluster.version}, ${cluster.server}\n  export KUBECONFIG=${cluster.kubeconfig}`);
  }
  console.log(`End them\n  ${endCommand(bedDirectory())}`);
}
