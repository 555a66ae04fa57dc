/**
 * The mover: the program that runs beside a volume and copies it out to an archive, in from one, or compares the two. `main.ts` is its entry;
 * this door is the controller's side: the protocol, how to start the program, and `runMover`. It knows nothing of Kubernetes.
 */
export * from './protocol.ts';
export { type MoverChannel, runMover, type RunMoverOptions } from './client.ts';

/** Command line of a mover that does one job. The young generation is kept small: what lies in it is garbage, and it counts as memory of the pod. */
export function moverCommand(program: string): string[] {
  return ['node', '--max-semi-space-size=2', program, 'run'];
}
