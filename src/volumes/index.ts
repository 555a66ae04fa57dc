/**
 * The control side of volumes: snapshot, expose, mover pod, staging claim, moving a filled volume to the application's claim, and the
 * sweep that leaves nothing of ours behind. Every function goes on where an earlier run of it died.
 */
export { runInPod, warmUp, type WarmSession } from './copy.ts';
export { moveVolume, stagingClaim } from './claim.ts';
export { createOrGet } from './create.ts';
export { defaultMoverImage, type MoverUser } from './mover-manifest.ts';
export { removeMover, removeMovers, startMover, type MoverPod } from './mover-pod.ts';
export { isOurs, ownLabels, ownSelector } from './marks.ts';
export { stagingNamespace, volumeName } from './names.ts';
export { retrying, type RetryOptions } from './retrying.ts';
export { dropGroupSnapshot, takeGroupSnapshot } from './group-snapshot.ts';
export { dropSnapshot, exposeSnapshot, takeSnapshot, type TakenSnapshot } from './snapshot.ts';
export { ensureStaging } from './staging.ts';
export { sweep, type SweepOptions } from './sweep.ts';
export { waitFor } from './wait.ts';
