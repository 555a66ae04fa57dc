/** What a stage of `make test` came to, and how counts are added up. */

export interface Skip {
  name: string;
  /** The test's own words, or the machine's limit. */
  reason: string;
}

export interface Failure {
  /** File and names of the tests down to the one that failed. */
  name: string;
  text: string;
}

export interface Outcome {
  passed: number;
  failures: Failure[];
  skips: Skip[];
}

export interface StageOutcome extends Outcome {
  stage: string;
  seconds: number;
}

export function nothing(): Outcome {
  return { passed: 0, failures: [], skips: [] };
}

export function add(sum: Outcome, more: Outcome): void {
  sum.passed += more.passed;
  sum.failures.push(...more.failures);
  sum.skips.push(...more.skips);
}
