/** Does a transform mean this object? Asked once, of the object as it was before the first transform; names and namespaces are the source's. */
import { canonicalJson } from '../../api/fields.ts';
import type { KubeObject } from '../../api/object.ts';
import type { TransformSubject } from '../../api/transform.ts';
import { matches } from '../../rules/index.ts';
import { placesOf, tokensOf } from './pointer.ts';
import { globMatches, matchOf } from './regex.ts';

/** What an object is called, in the words of a subject. */
export interface Identity {
  group: string;
  version: string;
  resource: string;
  name: string;
  namespace: string | undefined;
}

/** @throws Impossible when the subject holds something that is no regular expression */
export function fits(subject: TransformSubject, identity: Identity, object: KubeObject): boolean {
  const { group, version, resource, name, namespace } = identity;
  const same = (wanted: string | undefined, found: string) => wanted === undefined || wanted === found;
  if (!same(subject.group, group) || !same(subject.version, version) || !same(subject.resource, resource) || !same(subject.name, name))
    return false;
  const full = group === '' ? resource : `${resource}.${group}`;
  if (subject.groupResource !== undefined && !globMatches(subject.groupResource, full, '.')) return false;
  if (subject.nameRegex !== undefined && matchOf(subject.nameRegex, name) === undefined) return false;
  if (subject.namespaces?.some((glob) => namespace !== undefined && globMatches(glob, namespace)) === false) return false;
  if (subject.labels !== undefined && !matches(subject.labels, object.metadata.labels ?? {})) return false;
  return (subject.where ?? []).every(({ path, value }) => {
    const places = placesOf(object, tokensOf(path));
    return places.length > 0 && (value === undefined || places.every((place) => canonicalJson(place.value) === canonicalJson(value)));
  });
}
