/**
 * Where the programs of a test bed come from: given by the machine, downloaded with a checked hash, or built from Go modules and the
 * system's packages, in this order, kept in the user's cache. Callers get paths; nothing here starts a cluster.
 */
export type { Level, LightPieces, Origin, Pieces, PiecesNeed, Work } from './pieces.ts';
export { provideCoredns, providePieces, provideS3Servers, provideVersitygw } from './provide.ts';
// For bench/: peers are built and unpacked the same way.
export { packages } from './apt.ts';
export { build } from './build.ts';
export { cacheDir } from './cache.ts';
export type { Recipe } from './recipes.ts';
export { refereePrograms, type RefereePrograms } from './referees.ts';
