/**
 * Where our own objects live, and the machinery that reacts to them.
 *
 * A hub is a small API server: the embedded one is one SQLite file that several processes share. Over any hub: `runController` (watch →
 * keys → workers with back-off) and `acquireLease` (one process at a time). Nobody above knows which hub it is.
 */
export type { ControllerOptions, ObjectKey } from './controller.ts';
export { runController } from './controller.ts';
export { openEmbeddedHub } from './embedded.ts';
export type { Hub, HubEvent, HubKind } from './hub.ts';
export type { Lease, LeaseOptions } from './lease.ts';
export { acquireLease } from './lease.ts';
export { defaultHubFile } from './schema.ts';
export type { QueueOptions } from './workqueue.ts';
export { WorkQueue } from './workqueue.ts';
