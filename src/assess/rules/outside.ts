/** What lies outside of the two clusters: endpoints, registries, other writers, identities, secrets that come from elsewhere. */
import { everyField, fieldAt, find, listOf, textOf } from '../../api/fields.ts';
import { refText } from '../../api/object.ts';
import { hostsIn, hostText, type Host } from '../host-names.ts';
import { some, type Found, type Moving, type Rule, type RuleContext } from '../rule.ts';

export const outsideRules: readonly Rule[] = [
  {
    id: 'EXT-1',
    title: 'What the application calls outside can be reached from the target',
    severity: 'block',
    proof: 'probe',
    reads: 'host names in env, arguments, ConfigMaps, Secrets and ExternalName services',
    fix: 'Open the way (peering, firewall, allow list), and answer in the answers file.',
    reason: 'A database that only the old network reaches is noticed after the stop.',
    findings: ['OutsideEndpoint', 'OutsideEndpointUnreachable'],
    check: checkEndpoints,
  },
  {
    id: 'EXT-2',
    title: 'Services of other namespaces come along or are there',
    severity: 'warn',
    proof: 'objects',
    reads: 'service names in env, arguments and ConfigMaps',
    fix: 'Move the other namespace too, or give the target a service of that name.',
    reason: 'What stays behind does not answer on the target.',
    findings: ['CallsOtherNamespace'],
  },
  {
    id: 'IMG-1',
    title: 'The target can pull the images',
    severity: 'block',
    proof: 'probe',
    reads: 'images of the pods, their pull secrets',
    fix: 'Copy the images to a registry that both reach, or give the target credentials.',
    reason: 'A registry inside the old cluster, or rights of its nodes, do not move.',
    findings: ['ImageInCluster', 'ImagePullBoundToCloud', 'ImagePullUnproven', 'ImagePullFailed'],
    check: checkImages,
  },
  {
    id: 'IMG-2',
    title: 'Images are pinned',
    severity: 'warn',
    proof: 'objects',
    reads: 'image references of the pods',
    fix: 'Name the image by digest, or at least by a tag that is never moved.',
    reason: 'The target pulls anew: a tag that was moved since brings other code than the one that runs.',
    findings: ['ImageNotPinned'],
    check: checkTags,
  },
  {
    id: 'DUP-1',
    title: 'Nothing that acts outside of the cluster runs twice',
    severity: 'block',
    proof: 'objects',
    reads: 'images of the pods, custom resources that own things in a cloud',
    fix: 'Pause the one on the source, and let the cloud resource live on without it (deletion policy Orphan).',
    reason: 'Two external-dns delete each other’s records; deleting a resource on the old side deletes the database.',
    findings: ['WritesOutside', 'CloudResourceOwned'],
    check: checkOwners,
  },
  {
    id: 'DUP-2',
    title: 'Nothing of the application goes on running on the source',
    severity: 'block',
    proof: 'objects',
    reads: 'pods, their owners, jobs',
    fix: 'Stop it before the move, or leave it behind with the label tranship.io/exclude=true.',
    reason: 'Two copies write the same outside systems, and what runs on writes into a volume that was copied.',
    findings: ['PodCannotBeStopped', 'RunningJob', 'SchedulesMove'],
    check: checkSchedules,
  },
  {
    id: 'IDN-1',
    title: 'Rights in the cloud hold on the target',
    severity: 'warn',
    proof: 'objects',
    reads: 'annotations of service accounts',
    fix: 'Let the cloud trust the target cluster for the account.',
    reason: 'Each cluster has its own issuer; the role of the old one is refused on the new one.',
    findings: ['CloudIdentity'],
  },
  {
    id: 'IDN-2',
    title: 'Tokens and users of the old cluster are not relied upon',
    severity: 'warn',
    proof: 'objects',
    reads: 'token secrets that stay behind, subjects of role bindings',
    fix: 'Give outside users of the token a new one; see that the users and groups exist on the target.',
    reason: 'Tokens are signed by their cluster; users come from its login system.',
    findings: ['LongLivedToken', 'UsersBound'],
    check: checkIdentities,
  },
  {
    id: 'SEC-1',
    title: 'Secrets that come from elsewhere arrive on the target',
    severity: 'block',
    proof: 'objects',
    reads: 'custom resources of secret tools',
    fix: 'Install the tool on the target with access to the same store, or move its key first.',
    reason: 'A sealed secret opens only with the key of the old cluster.',
    findings: ['SealedSecretKey', 'SecretFromStore'],
    check: checkSecrets,
  },
];

/** Where an application says whom it calls. */
function endpointsOf({ object, resource }: Moving): Host[] {
  if (object.kind === 'ConfigMap' || object.kind === 'Secret') {
    return find(object, 'data[*]').flatMap(({ value, pointer }) => {
      const text = textOf(value) ?? '';
      return hostsIn(object.kind === 'Secret' ? Buffer.from(text, 'base64').toString('utf8') : text, pointer);
    });
  }
  if (object.kind === 'Service' && resource.group === '')
    return find(object, 'spec.externalName').flatMap(({ value }) => hostsIn(String(value), 'host'));
  const lists = ['containers', 'initContainers'].map((list) => `template.spec.${list}[*]`);
  return lists.flatMap((list) =>
    ['spec.', 'spec.jobTemplate.spec.'].flatMap((prefix) => [
      ...find(object, `${prefix}${list}.env[*]`).flatMap(({ value }) =>
        hostsIn(textOf(fieldAt(value, 'value')) ?? '', textOf(fieldAt(value, 'name'))),
      ),
      ...['args', 'command'].flatMap((field) =>
        find(object, `${prefix}${list}.${field}[*]`).flatMap(({ value }) => hostsIn(String(value))),
      ),
    ]),
  );
}

/** Names that are inside of the cluster, or that every process has. */
function isInside(host: string, namespaces: readonly string[]): boolean {
  if (/^(?:localhost|127\.|0\.0\.0\.0|\[::1?\]|kubernetes(?:\.default)?$)/.test(host) || host.endsWith('.localhost')) return true;
  if (/\.svc(?:\.|$)/.test(host) || host.endsWith('.cluster.local') || host.endsWith('.internal.cluster')) return true;
  const labels = host.split('.');
  // `db`, and `db.shop` when shop is a namespace.
  return labels.length === 1 || (labels.length === 2 && namespaces.includes(labels[1] ?? ''));
}

/** Hosts outside of the cluster that the application names, and the objects that do. Used by the probe, too. */
export function outsideEndpoints(context: Pick<RuleContext, 'moving' | 'source' | 'plan'>): Map<string, string[]> {
  const namespaces = [...context.source.surface.namespaces, ...context.plan.namespaces.map(({ target }) => target)];
  const found = new Map<string, string[]>();
  for (const each of context.moving) {
    for (const host of endpointsOf(each)) {
      if (isInside(host.host, namespaces)) continue;
      const by = found.get(hostText(host)) ?? [];
      found.set(hostText(host), [...by, refText(each.origin)]);
    }
  }
  return new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function checkEndpoints(context: RuleContext): Found[] {
  return [...outsideEndpoints(context)].flatMap(([endpoint, by]): Found[] => {
    const known = context.answers.reachable(endpoint);
    if (known === true) return [];
    return [
      {
        id: known === false ? 'OutsideEndpointUnreachable' : 'OutsideEndpoint',
        severity: known === false ? 'block' : 'unknown',
        message:
          known === false
            ? `${endpoint}, which ${some(by, 3)} names, can't be reached from the target, by the answers given.`
            : `${some(by, 3)} names ${endpoint}; whether the target reaches it is not known.`,
        fix:
          known === false
            ? 'Open the way before the move.'
            : 'Try it from a pod of the target, and answer under endpoints in the answers file.',
      },
    ];
  });
}

/** Registries whose images are pulled with the rights of a cloud's nodes. */
const CLOUD_REGISTRIES: readonly { host: RegExp; cloud: string }[] = [
  { host: /^\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\//, cloud: 'AWS' },
  { host: /^[a-z0-9]+\.azurecr\.(?:io|cn|us)\//, cloud: 'Azure' },
  { host: /^(?:[a-z0-9-]+-docker\.pkg\.dev|(?:[a-z]+\.)?gcr\.io)\//, cloud: 'Google Cloud' },
];

/** Registry of an image, as the runtime reads it. */
export function registryOf(image: string): string {
  const [first = ''] = image.split('/');
  return image.includes('/') && (/[.:]/.test(first) || first === 'localhost') ? first : 'docker.io';
}

export function imagesOf(spec: unknown): string[] {
  return ['containers', 'initContainers'].flatMap((list) => find(spec, `${list}[*].image`).map(({ value }) => String(value)));
}

function checkImages({ workloads, answers, target }: RuleContext): Found[] {
  const found: Found[] = [];
  const registries = new Map<string, string[]>();
  for (const { ref, spec } of workloads) {
    for (const image of imagesOf(spec)) {
      const bound = CLOUD_REGISTRIES.find(({ host }) => host.test(image));
      const registry = registryOf(image);
      registries.set(registry, [...(registries.get(registry) ?? []), image]);
      if (bound === undefined || find(spec, 'imagePullSecrets[*].name').length > 0) continue;
      found.push({
        id: 'ImagePullBoundToCloud',
        severity: 'warn',
        subject: ref,
        message: `${image} is pulled without a pull secret, by rights that the nodes of the source have in ${bound.cloud}.`,
        fix: 'Give the nodes of the target the right, or the pods a pull secret.',
      });
    }
  }
  const open = [...registries].filter(([registry]) => answers.registry(registry) === undefined);
  if (open.length > 0 && !answers.probed) {
    found.push({
      id: 'ImagePullUnproven',
      severity: 'unknown',
      message: `Whether ${target.surface.cluster.name} can pull from ${some(open.map(([registry]) => registry))} is not known (${some(open.flatMap(([, images]) => images))}).`,
      fix: 'Pull one of them on a node of the target, and answer under registries in the answers file.',
    });
  }
  for (const [registry, images] of registries) {
    if (answers.registry(registry) !== false) continue;
    found.push({
      id: 'ImagePullFailed',
      severity: 'block',
      message: `${some(images)} can't be pulled from ${registry} on the target, by the answers given.`,
      fix: 'Copy the images to a registry that the target reaches.',
    });
  }
  return found;
}

function checkTags({ workloads }: RuleContext): Found[] {
  const images = workloads.flatMap(({ spec }) => imagesOf(spec));
  const loose = images.filter(
    (image) => !image.includes('@') && (!/:[^/]+$/.test(image) || /:(?:latest|main|master|stable|edge|dev)$/.test(image)),
  );
  if (loose.length === 0) return [];
  return [
    {
      id: 'ImageNotPinned',
      severity: 'warn',
      message: `${some(loose)} may be another image when the target pulls it.`,
      fix: 'Name the image by digest, or by a tag that is never moved.',
    },
  ];
}

/** Groups whose objects stand for things in a cloud. Their definitions come with a controller that deletes what the object stands for. */
const CLOUD_OWNERS: readonly { group: RegExp; tool: string; paused: (annotations: Record<string, string>) => boolean }[] = [
  {
    group: /(?:^|\.)(?:crossplane\.io|upbound\.io)$/,
    tool: 'Crossplane',
    paused: (annotations) => annotations['crossplane.io/paused'] === 'true',
  },
  {
    group: /\.services\.k8s\.aws$/,
    tool: 'AWS Controllers for Kubernetes',
    paused: (annotations) => annotations['services.k8s.aws/deletion-policy'] === 'retain',
  },
  {
    group: /\.azure\.com$/,
    tool: 'Azure Service Operator',
    paused: (annotations) => ['skip', 'detach-on-delete'].includes(annotations['serviceoperator.azure.com/reconcile-policy'] ?? ''),
  },
  {
    group: /\.cnrm\.cloud\.google\.com$/,
    tool: 'Config Connector',
    paused: (annotations) => annotations['cnrm.cloud.google.com/deletion-policy'] === 'abandon',
  },
];
/** Crossplane groups that are its own machinery. */
const NO_CLOUD_RESOURCE = /^(?:pkg|apiextensions|secrets)\.crossplane\.io$/;

function checkOwners({ moving }: RuleContext): Found[] {
  return moving.flatMap(({ object, origin, resource }): Found[] => {
    const owner = NO_CLOUD_RESOURCE.test(resource.group) ? undefined : CLOUD_OWNERS.find(({ group }) => group.test(resource.group));
    if (owner === undefined || owner.paused(object.metadata.annotations ?? {})) return [];
    return [
      {
        id: 'CloudResourceOwned',
        severity: 'block',
        subject: origin,
        message: `It stands for something in a cloud (${owner.tool}); two clusters would own it, and deleting one object deletes the thing itself.`,
        fix: 'Pause it on the source and let its deletion leave the resource, then let the target take it over; or exclude it.',
      },
    ];
  });
}

function checkSchedules({ moving, answers }: RuleContext): Found[] {
  const jobs = moving.filter(({ object }) => object.kind === 'CronJob' && fieldAt(object, 'spec', 'suspend') !== true);
  const risky = jobs.filter(({ origin }) => answers.neverTwice(origin.name));
  if (jobs.length === 0 || (answers.onceAnswered && risky.length === 0)) return [];
  return [
    {
      id: 'SchedulesMove',
      severity: answers.onceAnswered ? 'warn' : 'info',
      message: `${some((risky.length > 0 ? risky : jobs).map(({ origin }) => origin.name))} runs by schedule: a run that falls into the stop is left out, and after a rollback one may run on both sides.`,
      fix: 'Choose a window without a run, or suspend it and run it by hand afterwards.',
    },
  ];
}

function checkIdentities({ captured, moving }: RuleContext): Found[] {
  const found: Found[] = [];
  const tokens = captured.leftBehind.filter(({ rule }) => rule === 'TokenSecret').map(({ ref }) => `${ref.namespace ?? ''}/${ref.name}`);
  if (tokens.length > 0) {
    found.push({
      id: 'LongLivedToken',
      severity: 'warn',
      message: `${some(tokens)} holds a token of the source cluster, which stays behind; whoever uses it outside is refused by the target.`,
      fix: 'Make a new token on the target and give it to its users.',
    });
  }
  for (const { object, origin } of moving) {
    if (object.kind !== 'RoleBinding' && object.kind !== 'ClusterRoleBinding') continue;
    const names = listOf(object['subjects'])
      .filter((subject) => fieldAt(subject, 'kind') === 'User' || fieldAt(subject, 'kind') === 'Group')
      .map((subject) => textOf(fieldAt(subject, 'name')) ?? '')
      .filter((name) => !name.startsWith('system:'));
    if (names.length === 0) continue;
    found.push({
      id: 'UsersBound',
      severity: 'warn',
      subject: origin,
      message: `It gives rights to ${some(names)}; whether the login of the target knows them under these names can't be read.`,
      fix: 'See that the target has the same users and groups.',
    });
  }
  return found;
}

const STORES = /^(?:external-secrets\.io|secrets-store\.csi\.x-k8s\.io|secrets\.hashicorp\.com|generators\.external-secrets\.io)$/;

function checkSecrets({ moving }: RuleContext): Found[] {
  const sealed = moving.filter(({ object, resource }) => resource.group === 'bitnami.com' && object.kind === 'SealedSecret');
  const stored = moving.filter(({ resource }) => STORES.test(resource.group));
  const encrypted = moving.filter(({ object }) => [...everyField(object['sops'])].length > 0);
  const found: Found[] = [];
  if (sealed.length + encrypted.length > 0) {
    found.push({
      id: 'SealedSecretKey',
      severity: 'block',
      message: `${some([...sealed, ...encrypted].map(({ origin }) => origin.name))} opens only with the key of the source cluster.`,
      fix: 'Copy the sealing keys to the target before its controller starts, or exclude them: the Secrets that they made move by themselves.',
    });
  }
  if (stored.length > 0) {
    found.push({
      id: 'SecretFromStore',
      severity: 'warn',
      message: `${some(stored.map(({ origin }) => `${origin.kind} ${origin.name}`))} fetches secrets from a store, which must accept the target cluster.`,
      fix: 'Give the target its own access to the store, and see one of them become ready there.',
    });
  }
  return found;
}
