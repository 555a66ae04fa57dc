import { openDirectory } from './directory.ts';
import type { Location, LocationSpec } from './location.ts';
import { openRelay, type RelayTransport } from './relay.ts';
import { lazyLocation } from './lazy.ts';
import { locationUrl } from './url.ts';
import { defaultPatience, type Patience } from './retry.ts';
import { TranshipError } from '../errors.ts';

export interface OpenLocationOptions {
  /** Requests in flight per location; default 8. One location is meant for one stream. */
  connections?: number;
  /** Limits of time and tries for a store that is reached over a network; what is left out is as in `defaultPatience`. */
  patience?: Partial<Patience>;
  /** How a relay location reaches its controller; needed for kind `relay` only. */
  relay?: RelayTransport;
}

/**
 * Opens a store. Nothing is contacted yet: call `probeLocation` to validate what a user gave.
 * @example const location = openLocation(parseLocationUrl('dir:/backups'));
 */
export function openLocation(spec: LocationSpec, options: OpenLocationOptions = {}): Location {
  if (spec.kind === 's3')
    return lazyLocation(locationUrl(spec), async () =>
      (await import('./s3.ts')).openS3(spec, options.connections ?? 8, { ...defaultPatience, ...options.patience }),
    );
  if (spec.kind === 'directory') return openDirectory(spec.path);
  if (options.relay === undefined) throw new TranshipError('Internal', 'A relay location was opened without a channel.');
  return openRelay(spec.url, options.relay);
}
