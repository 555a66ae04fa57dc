import { playOn } from './testing/rounds.ts';

await playOn('ext4');
