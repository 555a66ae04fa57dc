/**
 * The storage drivers of one node, all in one process, because every process costs memory and idle load twice (two clusters).
 * Runs as root inside the node's namespaces; see `readFlags` for the arguments.
 */
import { sentenceOf } from '#src/errors.ts';
import { Driver } from './driver.ts';
import { readFlags } from './flags.ts';
import { loadProtos, serve } from './server.ts';
import type { Running } from './server.ts';

try {
  const flags = readFlags(process.argv.slice(2));
  const protos = loadProtos(flags.proto);
  const running: Running[] = [];
  for (const { name, medium } of flags.drivers) {
    const driver = await Driver.open({ ...flags, name, medium });
    running.push(await serve(driver, protos));
    console.log(`${name} (${medium}) serves`);
  }
  const stop = (): void => void Promise.all(running.map((server) => server.stop())).then(() => process.exit(0));
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  console.error(sentenceOf(error));
  process.exitCode = 1;
}
