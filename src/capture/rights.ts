/** Whose rights a binding gives: the one question about references that the names of groups and users answer, too. */
import { find, listOf, textOf } from '../api/fields.ts';
import type { KubeObject } from '../api/object.ts';

/** Does a binding give rights to an account of these namespaces, by name or by the groups that stand for all of them? */
export function bindsNamespace(binding: KubeObject, namespaces: ReadonlySet<string>): { inside: boolean; outside: boolean } {
  let [inside, outside] = [false, false];
  for (const subject of listOf(binding.subjects)) {
    const kind = textOf(find(subject, 'kind')[0]?.value);
    const name = textOf(find(subject, 'name')[0]?.value) ?? '';
    const parts = name.split(':');
    const namespace =
      kind === 'ServiceAccount'
        ? textOf(find(subject, 'namespace')[0]?.value)
        : parts[0] === 'system' && (parts[1] === 'serviceaccounts' || parts[1] === 'serviceaccount')
          ? parts[2]
          : undefined;
    if (namespace !== undefined && namespaces.has(namespace)) inside = true;
    else outside = true;
  }
  return { inside, outside };
}
