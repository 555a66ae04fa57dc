/**
 * The mover: the program that runs beside a volume and copies it out to an archive, in from one, or compares the two. `main.ts` is its entry;
 * this door is the controller's side: the protocol and `runMover`. It knows nothing of Kubernetes.
 */
export * from './protocol.ts';
export { type MoverChannel, runMover, type RunMoverOptions } from './client.ts';
