/** The options that every bench of several works has: which works, at which scale, how often. */
import { TranshipError } from '../src/errors.ts';

/** For `parseArgs`. */
export function commonFlags(works: readonly string[]) {
  return {
    scale: { type: 'string', default: '1' },
    only: { type: 'string', default: works.join(',') },
    repetitions: { type: 'string', short: 'n', default: '3' },
    output: { type: 'string', short: 'o', default: 'text' },
  } as const;
}

/** @throws TranshipError InvalidInput with the name of the flag */
export function commonOptions<W extends string>(
  values: { scale: string; only: string; repetitions: string; output: string },
  works: readonly W[],
): { scale: number; only: W[]; repetitions: number; json: boolean } {
  const only = values.only.split(',').map((name) => {
    const known = works.find((work) => work === name);
    if (known === undefined)
      throw new TranshipError('InvalidInput', `--only names "${name}", which is no work.`, { hint: `There are ${works.join(', ')}.` });
    return known;
  });
  const [scale, repetitions] = [Number(values.scale), Number(values.repetitions)];
  if (!(scale > 0 && scale <= 4)) throw new TranshipError('InvalidInput', `--scale ${values.scale} is not a number above 0, up to 4.`);
  if (!Number.isInteger(repetitions) || repetitions < 1)
    throw new TranshipError('InvalidInput', `--repetitions ${values.repetitions} is not a whole number from 1.`);
  return { scale, only, repetitions, json: values.output === 'json' };
}
