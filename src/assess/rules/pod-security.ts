/**
 * Pod Security Standards as the admission plugin of Kubernetes checks them (v1 of the standards, kubernetes.io/docs/concepts/security/
 * pod-security-standards): what a pod's spec breaks. Pure.
 */
import { fieldAt, find, isRecord, listOf, textOf } from '../../api/fields.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

const CONTAINERS = ['containers', 'initContainers', 'ephemeralContainers'];
const BASELINE_CAPABILITIES: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
]);
const SELINUX_TYPES: ReadonlySet<string> = new Set(['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t']);
const RESTRICTED_VOLUMES: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'persistentVolumeClaim',
  'projected',
  'secret',
  'image',
]);

export function isLevel(text: string | undefined): text is Level {
  return text === 'privileged' || text === 'baseline' || text === 'restricted';
}

/**
 * What a pod spec breaks of a level, as short words; empty when it is allowed.
 * @example breaches({ hostNetwork: true, containers: [] }, 'baseline') // ['hostNetwork']
 */
export function breaches(spec: unknown, level: Level): string[] {
  if (level === 'privileged') return [];
  const containers = CONTAINERS.flatMap((list) => listOf(fieldAt(spec, list)));
  const found = new Set(baseline(spec, containers));
  if (level === 'restricted') for (const breach of restricted(spec, containers)) found.add(breach);
  return [...found].toSorted();
}

function* baseline(spec: unknown, containers: readonly unknown[]): Generator<string> {
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC']) if (fieldAt(spec, field) === true) yield field;
  if (find(spec, 'volumes[*].hostPath').length > 0) yield 'hostPath volumes';
  for (const hit of find(spec, 'securityContext.sysctls[*].name')) {
    if (!SAFE_SYSCTLS.has(textOf(hit.value) ?? '')) yield `sysctl ${String(hit.value)}`;
  }
  for (const holder of [spec, ...containers]) {
    const context = fieldAt(holder, 'securityContext');
    if (fieldAt(context, 'windowsOptions', 'hostProcess') === true) yield 'hostProcess';
    if (fieldAt(context, 'seccompProfile', 'type') === 'Unconfined') yield 'seccomp Unconfined';
    if (fieldAt(context, 'appArmorProfile', 'type') === 'Unconfined') yield 'AppArmor Unconfined';
    const linux = fieldAt(context, 'seLinuxOptions');
    if (!SELINUX_TYPES.has(textOf(fieldAt(linux, 'type')) ?? '')) yield 'SELinux type';
    if ((textOf(fieldAt(linux, 'user')) ?? '') !== '' || (textOf(fieldAt(linux, 'role')) ?? '') !== '') yield 'SELinux user or role';
  }
  for (const container of containers) {
    const context = fieldAt(container, 'securityContext');
    if (fieldAt(context, 'privileged') === true) yield 'privileged container';
    for (const name of listOf(fieldAt(context, 'capabilities', 'add')).map(String)) {
      if (!BASELINE_CAPABILITIES.has(name)) yield `capability ${name}`;
    }
    if (!['', 'Default'].includes(textOf(fieldAt(context, 'procMount')) ?? '')) yield 'procMount';
    if (find(container, 'ports[*].hostPort').some((hit) => hit.value !== 0)) yield 'hostPort';
  }
}

function* restricted(spec: unknown, containers: readonly unknown[]): Generator<string> {
  for (const volume of listOf(fieldAt(spec, 'volumes'))) {
    const kinds = isRecord(volume) ? Object.keys(volume).filter((key) => key !== 'name') : [];
    for (const kind of kinds) if (!RESTRICTED_VOLUMES.has(kind)) yield `${kind} volumes`;
  }
  // Windows pods have no such fields.
  if (fieldAt(spec, 'os', 'name') === 'windows') return;
  const pod = fieldAt(spec, 'securityContext');
  if (fieldAt(pod, 'runAsUser') === 0) yield 'runAsUser 0';
  for (const container of containers) {
    const context = fieldAt(container, 'securityContext');
    const effective = (field: string) => fieldAt(context, field) ?? fieldAt(pod, field);
    if (fieldAt(context, 'allowPrivilegeEscalation') !== false) yield 'allowPrivilegeEscalation is not false';
    if (effective('runAsNonRoot') !== true) yield 'runAsNonRoot is not true';
    if (fieldAt(context, 'runAsUser') === 0) yield 'runAsUser 0';
    const profile = textOf(fieldAt(effective('seccompProfile'), 'type'));
    if (profile !== 'RuntimeDefault' && profile !== 'Localhost') yield 'seccompProfile is not RuntimeDefault';
    if (!listOf(fieldAt(context, 'capabilities', 'drop')).includes('ALL')) yield 'capabilities are not dropped';
    if (listOf(fieldAt(context, 'capabilities', 'add')).some((name) => name !== 'NET_BIND_SERVICE')) yield 'added capabilities';
  }
}
