/** What every cluster of a bed has besides Kubernetes itself: snapshot kinds, storage drivers and classes, DNS. */
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { TranshipError } from '../../src/errors.ts';
import { driverObjects, type Manifest } from '../csi/index.ts';
import { until, type Api } from './api.ts';
import { dnsObjects } from './dns.ts';
import type { NodeSpec } from './spec.ts';

/** Applies everything; the snapshot kinds first, because the sidecars must find them when they start. */
export async function applyAddons(spec: NodeSpec, api: Api, dnsImage: string, signal: AbortSignal): Promise<void> {
  const definitions = await Promise.all(
    spec.pieces.snapshotCrds.map(async (path) => parse(await readFile(path, 'utf8')) as { metadata: { name: string } }),
  );
  await Promise.all(
    definitions.map((definition) =>
      api.apply(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${definition.metadata.name}`, definition, signal),
    ),
  );
  for (const { path, object } of dnsObjects(spec, dnsImage)) await api.apply(path, object, signal);
  const kinds = ['snapshot.storage.k8s.io/v1/volumesnapshotclasses', 'groupsnapshot.storage.k8s.io/v1/volumegroupsnapshotclasses'];
  const served = async (): Promise<boolean> => {
    const answers = await Promise.all(kinds.map(async (kind) => await api.call('GET', `/apis/${kind}`, signal)));
    return answers.every(({ status }) => status === 200);
  };
  await until(`The snapshot kinds of ${spec.name}`, served, signal);
  for (const object of spec.drivers.flatMap((driver) => driverObjects(driver))) await api.apply(storagePath(object), object, signal);
}

const plurals: Readonly<Record<string, string>> = {
  CSIDriver: 'csidrivers',
  StorageClass: 'storageclasses',
  VolumeSnapshotClass: 'volumesnapshotclasses',
  VolumeGroupSnapshotClass: 'volumegroupsnapshotclasses',
};

function storagePath(object: Manifest): string {
  const plural = plurals[object.kind];
  if (plural === undefined) throw new TranshipError('Internal', `The test bed does not know the path of kind ${object.kind}.`);
  return `/apis/${object.apiVersion}/${plural}/${object.metadata.name}`;
}
