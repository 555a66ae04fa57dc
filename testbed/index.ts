/**
 * Two real Kubernetes clusters (`source` and `target`) and an S3 server on one machine, and a light level (only the API) for tests.
 * What the demo, the end-to-end tests and curious users start, look at and end. Everything it does to the machine is written to a ledger
 * first, so that `down` leaves nothing behind, whatever happened in between.
 */
export type { BedCluster, ClusterName, DriverKind, S3Access, TestBed } from './cluster/bed.ts';
export { bedDirectory, readTestBed } from './cluster/bed.ts';
export type { BedStatus, DownOptions, UpOptions } from './cluster/options.ts';
export type { LightBed, LightCluster, LightOptions } from './light/bed.ts';
export { down } from './cluster/down.ts';
export { loadImages } from './cluster/images.ts';
export { status } from './cluster/status.ts';
export { up } from './cluster/up.ts';
export { light } from './light/light.ts';
export { nodeExec } from './node/exec.ts';
export type { ExecOptions, ExecResult } from './node/exec.ts';
export { startProgram, stopProgram } from './node/faults.ts';
export type { ProgramName } from './node/faults.ts';
