import { playOn } from './testing/rounds.ts';

await playOn('btrfs');
