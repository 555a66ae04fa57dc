/**
 * The way to a Kubernetes cluster: kubeconfigs, and a client that loses nothing.
 *
 * Objects go in and out as raw JSON, names are never changed, one connection pool per cluster, and every failure is a TranshipError
 * that says what was asked of whom (`kubeDetails` gives the server's status, reason and causes). Nothing here knows what the objects
 * mean; rooms above decide.
 */
export type { ClusterAccess, Credential, CredentialSource } from './access.ts';
export { fixedCredential } from './access.ts';
export type { OpenOptions } from './client.ts';
export { openKube } from './client.ts';
export type { KubeErrorDetails } from './failures.ts';
export { isAlreadyExists, kubeDetails } from './failures.ts';
export type * from './kube.ts';
export type { ContextInfo, Kubeconfig } from './kubeconfig.ts';
export { loadKubeconfig } from './kubeconfig.ts';
export { passingReason } from './passing.ts';
export * as resources from './resources.ts';
export { parseUntrustedKubeconfig } from './untrusted-kubeconfig.ts';
