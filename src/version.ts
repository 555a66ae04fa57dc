import manifest from '../package.json' with { type: 'json' };

/** The version of this program, as in package.json; the bundle carries it in itself. */
export const version: string = manifest.version;
