/** Follows the pods of a waiting application: has anything been started, and is all that is missing hopeless? Looks seldom, and never fails. */
import { fieldAt } from '../api/fields.ts';
import { managedBy, managedByLabel } from '../api/meta.ts';
import type { KubeObject, ObjectRef } from '../api/object.ts';
import { resources, type KubeClient } from '../kube/index.ts';
import { hasStarted, isHopeless, refusedByEvents, refusedByStatus } from './hopeless.ts';
import { podsOf } from './pods.ts';

/** Operators and jobs of the application may start pods before the first workload is created; how long its activation may take at most. */
const ACTIVATION_MS = 600_000;

export class Starts {
  readonly #client: KubeClient;
  readonly #namespaces: readonly string[];
  readonly #signal: AbortSignal;
  /** uid → it was given to a node. */
  #seen = new Map<string, boolean>();
  #everStarted = false;
  /** When the first workload was created, in milliseconds of the server's clock. */
  #oldest = Number.NaN;

  constructor(client: KubeClient, refs: readonly ObjectRef[], signal: AbortSignal) {
    this.#client = client;
    this.#namespaces = [...new Set(refs.flatMap(({ namespace }) => namespace ?? []))];
    this.#signal = signal;
  }

  /** A workload that is waited for: pods that are much older than all of these belong to somebody else. */
  note(workload: KubeObject | undefined): void {
    const created = Date.parse(workload?.metadata.creationTimestamp ?? '');
    if (!Number.isNaN(created) && !(this.#oldest <= created)) this.#oldest = created;
  }

  /**
   * Whether any container was ever started in the namespaces since the application was created there: of any pod, because jobs and operators
   * start some that no workload's selector finds. True as well when it can't be told.
   */
  async everStarted(): Promise<boolean> {
    if (!this.#everStarted && !(await this.look())) this.#everStarted = true;
    return this.#everStarted;
  }

  /** Reads the pods once. False when that failed. */
  async look(): Promise<boolean> {
    if (this.#everStarted) return true;
    const now = new Map<string, boolean>();
    try {
      for (const namespace of this.#namespaces) {
        for await (const pod of this.#client.list(resources.pods, { namespace, signal: this.#signal })) {
          if (!this.#counts(pod)) continue;
          if (hasStarted(pod)) this.#everStarted = true;
          now.set(pod.metadata.uid ?? '', fieldAt(pod, 'spec', 'nodeName') !== undefined);
        }
      }
    } catch (error) {
      if (this.#signal.aborted) throw error;
      return false;
    }
    // A pod that had a node and went between two looks may have run for a moment.
    for (const [uid, hadNode] of this.#seen) if (hadNode && !now.has(uid)) this.#everStarted = true;
    this.#seen = now;
    return true;
  }

  #counts(pod: KubeObject): boolean {
    if (pod.metadata.labels?.[managedByLabel] === managedBy) return false;
    const created = Date.parse(pod.metadata.creationTimestamp ?? '');
    // Not a number compares as false: what is not known counts.
    return !(created < this.#oldest - ACTIVATION_MS);
  }

  /** Is every one of these workloads hopeless now? False when it can't be told. */
  async allHopeless(workloads: readonly (KubeObject | undefined)[]): Promise<boolean> {
    try {
      for (const workload of workloads) {
        if (workload === undefined) return false;
        const pods = await podsOf(this.#client, workload, this.#signal);
        const refused = pods.length === 0 && (refusedByStatus(workload) || refusedByEvents(await this.#eventsOf(workload)));
        if (!isHopeless(pods, refused)) return false;
      }
      return workloads.length > 0;
    } catch (error) {
      if (this.#signal.aborted) throw error;
      return false;
    }
  }

  async #eventsOf(workload: KubeObject): Promise<KubeObject[]> {
    const { name, namespace = '', uid = '' } = workload.metadata;
    const fieldSelector = `involvedObject.name=${name},involvedObject.uid=${uid},reason=FailedCreate`;
    const events: KubeObject[] = [];
    for await (const event of this.#client.list(resources.events, { namespace, fieldSelector, signal: this.#signal })) events.push(event);
    return events;
  }
}
