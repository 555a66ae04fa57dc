/** The rule files that come with us. */
import { kindRulesSchema } from '../api/kind-rules.ts';
import certManager from './data/cert-manager.json' with { type: 'json' };
import core from './data/core.json' with { type: 'json' };
import gatewayApi from './data/gateway-api.json' with { type: 'json' };
import { Rules } from './rules.ts';

const FILES: readonly unknown[] = [core, gatewayApi, certManager];

export const BUILT_IN = new Rules(FILES.map((file) => kindRulesSchema.parse(file)));
