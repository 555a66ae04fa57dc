/**
 * rules: what is known about kinds of objects, as data: what they name, how they are stopped, when they are created. PURE.
 *
 * Story: `data/*.json` are the files that come with us, in the form of api/kind-rules.ts, the same that a user writes for the resources of an
 * operator of their own; `rules.ts` puts files together, `references.ts` asks them about an object.
 */
export { BUILT_IN, rulesWith } from './built-in.ts';
export { matches, podTemplatesOf, referencesOf, selectionsOf, type PodTemplate, type Reference, type Selection } from './references.ts';
export { namespacePathsOf, parseKind, pathsOf, Rules, type GraphEdgeType, type KnownKind } from './rules.ts';
