/** The rule files that come with us. */
import { kindRulesSchema, type KindRules } from '../api/kind-rules.ts';
import argoCd from './data/argo-cd.json' with { type: 'json' };
import certManager from './data/cert-manager.json' with { type: 'json' };
import cloudNativePg from './data/cloudnative-pg.json' with { type: 'json' };
import core from './data/core.json' with { type: 'json' };
import flux from './data/flux.json' with { type: 'json' };
import gatewayApi from './data/gateway-api.json' with { type: 'json' };
import istio from './data/istio.json' with { type: 'json' };
import prometheusOperator from './data/prometheus-operator.json' with { type: 'json' };
import strimzi from './data/strimzi.json' with { type: 'json' };
import { Rules } from './rules.ts';

const FILES: readonly unknown[] = [core, gatewayApi, certManager, prometheusOperator, cloudNativePg, argoCd, flux, istio, strimzi];

/** With the files of a user, which come last and so correct what is built in. */
export function rulesWith(files: readonly KindRules[]): Rules {
  return files.length === 0 ? BUILT_IN : new Rules([...BUILT_IN.files, ...files]);
}

export const BUILT_IN = new Rules(FILES.map((file) => kindRulesSchema.parse(file)));
