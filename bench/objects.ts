/**
 * Objects per second: capture, plan and apply of ConfigMaps and Secrets, beside a bare create loop on the same API server in the same run.
 *
 * Usage: TRANSHIP_TEST_KUBECONFIGS=PATH[:PATH] tools/node bench/objects.ts [COUNT]   (node testbed/main.ts light starts API servers)
 * Prints a table and writes nothing but its own namespaces, which it removes.
 */
import { availableParallelism, loadavg } from 'node:os';
import type { KubeObject } from '../src/api/object.ts';
import { applySteps, compareApplied } from '../src/apply/index.ts';
import { capture, readSurface } from '../src/capture/index.ts';
import { loadKubeconfig, openKube, resources, type KubeClient, type Resource } from '../src/kube/index.ts';
import { makePlan } from '../src/plan/index.ts';

/** In flight at once in the bare loop: beyond this only the latency grows on two cores (testbed.md). */
const LOOP_PARALLEL = 32;
const BYTES = 500;

interface Row {
  work: string;
  objects: number;
  seconds: number;
}

function object(index: number, namespace: string): { resource: Resource; object: KubeObject } {
  const secret = index % 2 === 1;
  const metadata = { name: `item-${index}`, namespace };
  const content = 'x'.repeat(BYTES);
  return secret
    ? { resource: resources.secrets, object: { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', stringData: { content } } }
    : { resource: resources.configMaps, object: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { content } } };
}

/** The least that any tool must do: one create per object, nothing else. */
async function createLoop(client: KubeClient, count: number, namespace: string): Promise<void> {
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  const queue = Array.from({ length: count }, (_, index) => object(index, namespace)).values();
  const work = async () => {
    for (const next of queue) await client.create(next.resource, next.object);
  };
  await Promise.all(Array.from({ length: LOOP_PARALLEL }, work));
}

async function timed<Result>(rows: Row[], work: string, objects: number, run: () => Promise<Result> | Result): Promise<Result> {
  const started = performance.now();
  const result = await run();
  rows.push({ work, objects, seconds: (performance.now() - started) / 1000 });
  return result;
}

/** All rows of one run. `source` and `target` may be the same API server: the namespaces differ. */
export async function benchObjects(source: KubeClient, target: KubeClient, count: number, signal: AbortSignal): Promise<Row[]> {
  const run = Date.now().toString(36);
  const names = { source: `bench-${run}`, target: `bench-${run}-moved`, loop: `bench-${run}-loop` };
  const rows: Row[] = [];
  try {
    await timed(rows, 'bare create loop (source)', count, async () => await createLoop(source, count, names.source));
    const captured = await timed(rows, 'capture', count, async () => await capture(source, { namespaces: [names.source], signal }));
    const surfaces = {
      source: await readSurface(source, { namespaces: [names.source], captured, signal }),
      target: await readSurface(target, { namespaces: [names.target], captured, signal }),
    };
    const mapping = {
      namespaces: { [names.source]: names.target },
      storageClasses: {},
      nodePorts: 'Reset',
      dnsNames: true,
      existing: 'Fail',
    } as const;
    const plan = await timed(rows, 'plan (renamed)', count, () =>
      makePlan({ captured, ...surfaces, mapping, options: { migration: run } }),
    );
    const apply = async () => await applySteps(target, plan.steps, { phase: 'Prepare', previous: [], signal, fieldManager: 'tranship' });
    const outcomes = await timed(rows, 'apply', count, apply);
    const created = outcomes.filter(({ result }) => result === 'Created').length;
    if (created !== plan.steps.length) throw new Error(`${created} of ${plan.steps.length} objects were created`);
    await timed(rows, 'bare create loop (target)', count, async () => await createLoop(target, count, names.loop));
    const differences = await timed(rows, 'read back and compare', count, async () => await compareApplied(target, plan.steps, { signal }));
    if (differences.length > 0) throw new Error(`${differences.length} fields are not as planned`);
    return rows;
  } finally {
    await source.delete(resources.namespaces, names.source);
    for (const name of [names.target, names.loop]) await target.delete(resources.namespaces, name);
  }
}

function print(rows: readonly Row[]): void {
  console.log(`${availableParallelism()} CPUs, load ${loadavg()[0]?.toFixed(1)}`);
  for (const { work, objects, seconds } of rows) {
    console.log(
      `${work.padEnd(28)} ${String(objects).padStart(7)} objects ${seconds.toFixed(2).padStart(8)} s ${(objects / seconds).toFixed(0).padStart(8)}/s`,
    );
  }
  const rate = (work: string) => rows.filter((row) => row.work === work).map((row) => row.objects / row.seconds)[0] ?? 0;
  console.log(`apply is ${((rate('apply') / rate('bare create loop (target)')) * 100).toFixed(0)} % of the bare loop on the target`);
}

if (import.meta.main) {
  const paths = (process.env['TRANSHIP_TEST_KUBECONFIGS'] ?? '').split(':').filter((path) => path !== '');
  if (paths.length === 0) {
    console.error('Set TRANSHIP_TEST_KUBECONFIGS: node testbed/main.ts light starts API servers and prints their paths.');
    process.exit(2);
  }
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const open = (path: string) => {
    const config = loadKubeconfig({ path });
    return openKube(config.access(config.contexts()[0]?.name ?? ''));
  };
  const clients = [open(paths[0] ?? ''), open(paths[1] ?? paths[0] ?? '')] as const;
  try {
    print(await benchObjects(clients[0], clients[1], Number(process.argv[2] ?? 2000), stop.signal));
  } finally {
    await Promise.all(clients.map(async (client) => await client.close()));
  }
}
