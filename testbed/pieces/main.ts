/** Makes the pieces ready and shows what came from where: `node testbed/pieces/main.ts [--level light|nodes] [--kubernetes 1.36]`. */
import { parseArgs } from 'node:util';
import { sentenceOf, TranshipError } from '../../src/errors.ts';
import { providePieces } from './index.ts';
import type { Level } from './pieces.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());

try {
  const { values } = parseArgs({
    options: { level: { type: 'string', default: 'nodes' }, kubernetes: { type: 'string', default: '1.36' } },
  });
  const need = {
    level: levelOf(values.level),
    kubernetes: values.kubernetes,
    signal: stop.signal,
    onProgress: (line: string) => console.error(line),
  };
  const { origins } = await providePieces(need);
  const width = (pick: (origin: (typeof origins)[number]) => string): number => Math.max(...origins.map((origin) => pick(origin).length));
  const [name, version] = [width((origin) => origin.name), width((origin) => origin.version)];
  for (const origin of origins)
    console.log(`${origin.name.padEnd(name)}  ${origin.version.padEnd(version)}  ${origin.source.padEnd(8)}  ${origin.path}`);
} catch (error) {
  console.error(stop.signal.aborted ? 'Stopped.' : sentenceOf(error));
  process.exitCode = stop.signal.aborted ? 130 : 1;
}

function levelOf(level: string): Level {
  if (level === 'light' || level === 'nodes') return level;
  throw new TranshipError('InvalidInput', `Unknown level "${level}".`, { hint: 'Known: light, nodes.' });
}
