/** `KubeClient` put together: each verb says here how it looks on the wire and whether it may be sent twice. */
import type { KubeObject } from '../api/object.ts';
import { TranshipError } from '../errors.ts';
import type { ClusterAccess } from './access.ts';
import type { Call, Caller } from './call.ts';
import { callJson, callText } from './call.ts';
import { readDiscovery } from './discovery.ts';
import { openExec } from './exec.ts';
import { kubeDetails } from './failures.ts';
import type { CallOptions, Discovery, KubeClient, ListOptions, WriteOptions } from './kube.ts';
import { listObjects } from './list.ts';
import type { Query } from './paths.ts';
import { collectionPath, needNamespace, objectPath, subjectText, withQuery } from './paths.ts';
import { openPortForward } from './port-forward.ts';
import { namespaces, selfSubjectAccessReviews } from './resources.ts';
import { openTransport } from './transport.ts';
import type { WireRequest } from './transport.ts';
import { WarningBox } from './warnings.ts';
import { watchObjects } from './watch.ts';

export interface OpenOptions {
  /** Name for messages; default: the context. */
  name?: string;
  userAgent?: string;
  /** Most connections for calls at the same time, default 64; watches and exec sessions have their own. */
  connections?: number;
}

/**
 * Opens a client; no request is sent yet. Close it when done: open watches end, sessions are cut.
 *
 * @example
 * const kube = openKube(loadKubeconfig().access('old'));
 * for await (const pod of kube.list(pods, { namespace: 'shop' })) console.log(pod.metadata.name);
 * await kube.close();
 */
export function openKube(access: ClusterAccess, options: OpenOptions = {}): KubeClient {
  const name = options.name ?? access.context;
  const transport = openTransport(access, { userAgent: options.userAgent ?? 'tranship', connections: options.connections ?? 64 });
  const warnings = new WarningBox();
  const caller: Caller = { transport, warn: (text) => warnings.add(text) };
  const closing = new AbortController();
  let cluster: string | undefined;
  let discovered: Promise<Discovery> | undefined;

  function call(verb: string, what: string, request: WireRequest, repeatable: boolean): Call {
    return { ...request, repeatable, subject: { verb, what, cluster: name, server: access.server } };
  }

  async function object(request: Call, callOptions: CallOptions | undefined): Promise<KubeObject> {
    return (await callJson(caller, request, callOptions)) as KubeObject; // JSON border
  }

  /** Sessions and watches end with the client, whatever signal they have. */
  function untilClosed<Options extends CallOptions>(given: Options): Options & { signal: AbortSignal } {
    return { ...given, signal: given.signal === undefined ? closing.signal : AbortSignal.any([given.signal, closing.signal]) };
  }

  const client: KubeClient = {
    name,
    server: access.server,

    async clusterId(callOptions) {
      if (cluster !== undefined) return cluster;
      const system = await client.get(namespaces, 'kube-system', undefined, callOptions);
      if (system?.metadata.uid === undefined)
        throw new TranshipError('NotFound', `Cluster ${name} has no namespace kube-system: is it Kubernetes?`);
      return (cluster = system.metadata.uid);
    },

    async version(callOptions) {
      const answer = await callJson(caller, call('get', 'the version', { method: 'GET', path: '/version' }, true), callOptions);
      const { gitVersion = '', major = '', minor = '' } = answer as { gitVersion?: string; major?: string; minor?: string }; // JSON border
      // Some providers write "30+".
      return { gitVersion, major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10) };
    },

    async discover(callOptions = {}) {
      const { refresh = false, ...rest } = callOptions;
      if (discovered !== undefined && !refresh) return discovered;
      const reading = readDiscovery(caller, name, rest);
      discovered = reading;
      try {
        return await reading;
      } catch (error) {
        if (discovered === reading) discovered = undefined;
        throw error;
      }
    },

    async get(resource, objectName, namespace, callOptions) {
      const request = { method: 'GET', path: objectPath(resource, objectName, namespace) } as const;
      try {
        return await object(call('get', subjectText(resource, objectName, namespace), request, true), callOptions);
      } catch (error) {
        if (isAbsent(error)) return undefined;
        throw error;
      }
    },

    list: (resource, listOptions: ListOptions = {}) => listObjects(caller, name, resource, listOptions),

    watch: (resource, watchOptions) => watchObjects(caller, name, resource, untilClosed(watchOptions)),

    async create(resource, created, writeOptions) {
      const { namespace } = created.metadata;
      needNamespace(resource, namespace);
      const path = withQuery(collectionPath(resource, namespace), writeQuery(writeOptions));
      const what = subjectText(resource, created.metadata.name ?? '(generated name)', namespace);
      return object(
        call('create', what, { method: 'POST', path, body: JSON.stringify(created) }, writeOptions?.dryRun === true),
        writeOptions,
      );
    },

    async replace(resource, replaced, writeOptions) {
      const { name: objectName, namespace } = replaced.metadata;
      const path = withQuery(objectPath(resource, objectName, namespace), writeQuery(writeOptions));
      const what = subjectText(resource, objectName, namespace);
      return object(
        call('update', what, { method: 'PUT', path, body: JSON.stringify(replaced) }, writeOptions?.dryRun === true),
        writeOptions,
      );
    },

    async apply(resource, applied, applyOptions) {
      const { name: objectName, namespace } = applied.metadata;
      const path = withQuery(objectPath(resource, objectName, namespace), { ...writeQuery(applyOptions), force: applyOptions.force });
      const request = { method: 'PATCH', path, body: JSON.stringify(applied), contentType: 'application/apply-patch+yaml' } as const;
      return object(call('apply', subjectText(resource, objectName, namespace), request, !hasResourceVersion(applied)), applyOptions);
    },

    async patch(resource, objectName, namespace, patch, writeOptions) {
      const path = withQuery(objectPath(resource, objectName, namespace, writeOptions?.subresource), writeQuery(writeOptions));
      const contentType = patch.type === 'merge' ? 'application/merge-patch+json' : 'application/json-patch+json';
      const request = { method: 'PATCH', path, body: JSON.stringify(patch.body), contentType } as const;
      // A merge patch says what is to be, so twice is once; a JSON patch may add to a list, and its tests would fail the second time.
      const repeatable = writeOptions?.dryRun === true || (patch.type === 'merge' && !hasResourceVersion(patch.body));
      return object(call('patch', subjectText(resource, objectName, namespace), request, repeatable), writeOptions);
    },

    async delete(resource, objectName, namespace, deleteOptions = {}) {
      const { propagation, uid, gracePeriodSeconds, ...rest } = deleteOptions;
      const body = JSON.stringify({
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        ...(propagation !== undefined && { propagationPolicy: propagation }),
        ...(uid !== undefined && { preconditions: { uid } }),
        ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
      });
      const request = { method: 'DELETE', path: objectPath(resource, objectName, namespace), body } as const;
      try {
        // Without a uid a second delete could hit an object that somebody made in between.
        await callText(caller, call('delete', subjectText(resource, objectName, namespace), request, uid !== undefined), rest);
        return true;
      } catch (error) {
        if (isAbsent(error)) return false;
        throw error;
      }
    },

    exec: (target, callOptions = {}) => openExec(transport, name, target, untilClosed(callOptions)),

    logs({ namespace, pod, container, tailLines, previous }, callOptions) {
      const query: Query = { container, tailLines, previous };
      const path = withQuery(`/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`, query);
      return callText(caller, call('get', `the log of Pod ${namespace}/${pod}`, { method: 'GET', path, accept: '*/*' }, true), callOptions);
    },

    portForward: (target, callOptions = {}) => openPortForward(transport, name, target, untilClosed(callOptions)),

    async can(verb, { group, resource, subresource, namespace, name: objectName }, callOptions) {
      const resourceAttributes = { verb, group, resource, subresource, namespace, name: objectName };
      const body = JSON.stringify({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } });
      const request = { method: 'POST', path: collectionPath(selfSubjectAccessReviews), body } as const;
      const review = await object(call('review', `access to ${verb} ${resource}`, request, true), callOptions);
      return (review['status'] as { allowed?: boolean } | undefined)?.allowed === true; // JSON border
    },

    request(method, path, requestOptions = {}) {
      const { body, contentType, accept, ...rest } = requestOptions;
      const request: WireRequest = {
        method,
        path,
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(contentType !== undefined && { contentType }),
        ...(accept !== undefined && { accept }),
      };
      return callJson(caller, call(method.toLowerCase(), path.split('?')[0] ?? path, request, method === 'GET' || method === 'HEAD'), rest);
    },

    takeWarnings: () => warnings.take(),

    async close() {
      closing.abort(new TranshipError('Canceled', `The client of cluster ${name} was closed.`));
      await transport.close();
    },
  };
  return client;
}

function writeQuery(options: WriteOptions | undefined): Query {
  return { dryRun: options?.dryRun === true ? 'All' : undefined, fieldManager: options?.fieldManager };
}

/** The object is not there. A resource that is not served at all stays an error: silence about it would look like an empty cluster. */
function isAbsent(error: unknown): boolean {
  const details = kubeDetails(error);
  return details?.status === 404 && details.reason !== 'NotServed';
}

function hasResourceVersion(body: unknown): boolean {
  return (
    typeof body === 'object' &&
    body !== null &&
    'metadata' in body &&
    typeof body.metadata === 'object' &&
    body.metadata !== null &&
    'resourceVersion' in body.metadata
  );
}
