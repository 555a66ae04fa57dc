/**
 * Reads a shop's volumes with a short-lived pod: the claims are mounted read only, each container prints what it found and ends.
 * On the source the database is read from a copy that the pod makes of its files, so the original is opened but never written.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KubeObject } from '../src/api/object.ts';
import { TranshipError } from '../src/errors.ts';
import { resources } from '../src/kube/index.ts';
import type { KubeClient } from '../src/kube/kube.ts';
import { waitFor } from './deploy.ts';
import type { DatabaseFacts, DataFacts, FileFact, LedgerFacts, Limits, TableFact } from './facts.ts';

const name = 'demo-facts';
const { pods } = resources;

export interface ProbeOptions {
  namespace: string;
  /** `stopped`: the database files are copied and started in the probe. `running`: the database of the application is asked. */
  database: 'stopped' | 'running';
  /** Up to where to compare; absent: everything there is. */
  limits?: Limits;
  /** Orders 1..n were acknowledged to the customer. */
  acknowledgedOrders: number;
  signal: AbortSignal;
}

/** Facts of one side. @throws Incomplete with the words of the container when one of them failed */
export async function readData(kube: KubeClient, options: ProbeOptions): Promise<DataFacts> {
  const { namespace, signal } = options;
  await kube.delete(pods, name, namespace, { signal, gracePeriodSeconds: 0 });
  await waitFor(signal, 60_000, 'an older probe to go', async () =>
    (await kube.get(pods, name, namespace, { signal })) === undefined ? true : undefined,
  );
  await kube.create(pods, probePod(options), { signal });
  try {
    const phase = await waitFor(signal, 180_000, `the probe in ${namespace}`, async () => {
      const status = ((await kube.get(pods, name, namespace, { signal }))?.['status'] ?? {}) as { phase?: string };
      return status.phase === 'Succeeded' || status.phase === 'Failed' ? status.phase : undefined;
    });
    const [files = '', ledger = '', database = ''] = await Promise.all(
      ['files', 'ledger', 'database'].map((container) => kube.logs({ namespace, pod: name, container }, { signal })),
    );
    if (phase === 'Failed')
      throw new TranshipError('Incomplete', `The probe in ${namespace} of ${kube.name} failed.`, {
        hint: tail(`${ledger}\n${database}\n${files}`),
      });
    return { files: lines(files) as FileFact[], ledger: lines(ledger)[0] as LedgerFacts, database: databaseFacts(database) };
  } finally {
    // Also after an abort: the probe must not stay in the user's namespace.
    await kube.delete(pods, name, namespace, { gracePeriodSeconds: 0 }).catch(() => false);
  }
}

function databaseFacts(text: string): DatabaseFacts {
  const all = lines(text);
  return { ...(all.pop() as DatabaseFacts), tables: all as TableFact[] };
}

function lines(text: string): unknown[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as unknown);
}

function tail(text: string): string {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('{'))
    .slice(-5)
    .join(' | ');
}

function script(file: string): string {
  return readFileSync(join(import.meta.dirname, 'probes', file), 'utf8');
}

function probePod(options: ProbeOptions): KubeObject {
  const { namespace, database, limits } = options;
  const stopped = database === 'stopped';
  const node = ['node', '--experimental-ffi', '--disable-warning=ExperimentalWarning', '--input-type=module-typescript', '-e'];
  const secret = (key: string) => ({ valueFrom: { secretKeyRef: { name: 'postgres', key } } });
  const tight = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    // Kept out of the application's selectors, and out of what a migration takes along.
    metadata: { name, namespace, labels: { demo: 'facts', 'tranship.io/exclude': 'true' } },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      containers: [
        {
          name: 'files',
          image: 'localhost/demo-web:1',
          command: [...node, script('files.ts'), '--', '/uploads'],
          securityContext: { ...tight, runAsUser: 0, capabilities: { drop: ['ALL'], add: ['DAC_READ_SEARCH'] } },
          volumeMounts: [{ name: 'uploads', mountPath: '/uploads', readOnly: true }],
        },
        {
          name: 'ledger',
          image: 'localhost/demo-web:1',
          command: [...node, script('ledger.ts'), '--', String(limits?.entries ?? -1), '/dev/ledger'],
          securityContext: { ...tight, runAsUser: 0 },
          volumeDevices: [{ name: 'ledger', devicePath: '/dev/ledger' }],
        },
        {
          name: 'database',
          image: 'localhost/postgres:15',
          command: ['sh', '-c', script('database.sh')],
          env: [
            { name: 'TICKS', value: String(limits?.ticks ?? '9223372036854775807') },
            { name: 'ORDERS', value: String(limits?.orders ?? '9223372036854775807') },
            { name: 'ACKNOWLEDGED', value: String(options.acknowledgedOrders) },
            stopped ? { name: 'COPY_FROM', value: '/source/pgdata' } : { name: 'PGHOST', value: `postgres.${namespace}.svc` },
            { name: 'PGUSER', ...secret('username') },
            { name: 'PGPASSWORD', ...secret('password') },
            { name: 'PGDATABASE', ...secret('database') },
          ],
          securityContext: { ...tight, runAsUser: 999, runAsGroup: 999 },
          volumeMounts: [
            { name: 'copy', mountPath: '/copy' },
            { name: 'tmp', mountPath: '/tmp' },
            ...(stopped ? [{ name: 'data', mountPath: '/source', readOnly: true }] : []),
          ],
        },
      ],
      volumes: [
        claim('uploads', 'uploads'),
        // A block device has no read-only mount; the probe opens it for reading.
        { name: 'ledger', persistentVolumeClaim: { claimName: 'ledger' } },
        ...(stopped ? [claim('data', 'data-postgres-0')] : []),
        { name: 'copy', emptyDir: {} },
        { name: 'tmp', emptyDir: {} },
      ],
    },
  };
}

function claim(volume: string, claimName: string): unknown {
  return { name: volume, persistentVolumeClaim: { claimName, readOnly: true } };
}
