/**
 * Object stores behind few verbs (put, get, head, list, delete): S3, a directory, or a relay through the mover's channel. This room turns
 * every failure into a sentence that names bucket, verb and object, and never lets a credential into one. It knows nothing of what
 * the objects mean.
 */
export type { Listed, Location, LocationSpec, Refused } from './location.ts';
export { locationUrl, parseLocationUrl, type LocationUrlOptions } from './url.ts';
export { openLocation, type OpenLocationOptions } from './open.ts';
export type { Patience } from './retry.ts';
export { probeLocation, type LocationProbe } from './probe.ts';
export { performRelayed, RelayClient, serveRelay, type RelayReply, type RelayRequest, type RelayTransport } from './relay.ts';
export { FrameWriter, readFrames, type Frame } from './frames.ts';
export { alignedBuffer, directBlock, directFlag, giveBack } from './memory.ts';
