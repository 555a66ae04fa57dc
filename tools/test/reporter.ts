/**
 * Reporter for node:test: one JSON line per event on file descriptor 3, with only what the runner reads. Standard output stays the
 * test's own. (A reporter's destination cannot be /dev/fd/3: Node gives children sockets, and those cannot be opened by name.)
 */
import { writeSync } from 'node:fs';
import type { TestEvent } from 'node:test/reporters';

export interface TestLine {
  /** `begin` comes when a test begins, `start` when its turn in the ordered report comes, which is later. */
  type: 'begin' | 'start' | 'pass' | 'fail';
  name: string;
  nesting: number;
  suite: boolean;
  /** The reason, or '' when none was given. */
  skip?: string;
  todo?: string;
  /** node:test's word for why it failed; `subtestsFailed` repeats what was already said. */
  failureType?: string;
  text?: string;
}

export default async function* lines(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    const line = lineOf(event);
    if (line !== undefined) writeSync(3, `${JSON.stringify(line)}\n`);
  }
  yield '';
}

function lineOf(event: TestEvent): TestLine | undefined {
  if (event.type === 'test:dequeue') return { type: 'begin', name: event.data.name, nesting: event.data.nesting, suite: false };
  if (event.type === 'test:start') return { type: 'start', name: event.data.name, nesting: event.data.nesting, suite: false };
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined;
  const { name, nesting, skip, todo, details } = event.data;
  const line: TestLine = { type: event.type === 'test:pass' ? 'pass' : 'fail', name, nesting, suite: details.type === 'suite' };
  if (skip !== undefined && skip !== false) line.skip = typeof skip === 'string' ? skip : '';
  if (todo !== undefined && todo !== false) line.todo = typeof todo === 'string' ? todo : '';
  if ('error' in details) {
    const error = details.error as Error & { failureType?: string };
    line.failureType = error.failureType ?? '';
    line.text = textOf(error.cause ?? error);
  }
  return line;
}

/** The stack down to the last frame of ours. */
function textOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const stack = cause.stack ?? cause.message;
  return stack
    .split('\n')
    .filter((line) => !line.includes('(node:') && !/^\s+at .*node:internal/.test(line) && !line.includes('at async node:'))
    .join('\n');
}
