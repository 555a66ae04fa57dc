/** One call as the caller sees it: deadline, polite repetition, and errors that people can read. */
import type { CallOptions } from './kube.ts';
import { reasonOf, pause, startDeadline } from './deadline.ts';
import type { Subject } from './failures.ts';
import { connectionError, networkCode, neverSent, statusError } from './failures.ts';
import { afterAnswer, afterFailure } from './retry.ts';
import type { Transport, WireAnswer, WireRequest } from './transport.ts';
import { TranshipError } from '../errors.ts';
import { warningTexts } from './warnings.ts';

export const DEFAULT_TIMEOUT_MS = 30_000;

export interface Call extends WireRequest {
  subject: Subject;
  /** Sending it twice has the same effect as once. */
  repeatable: boolean;
}

export interface Caller {
  transport: Transport;
  warn(text: string): void;
}

/** Sends a call and gives the body's text. Throws TranshipErrors only. */
export async function callText(caller: Caller, call: Call, options: CallOptions = {}): Promise<string> {
  const limit = startDeadline(options.signal, options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  let sent = false;
  try {
    let newCredential = false;
    for (let attempt = 1; ; attempt++) {
      let answer: WireAnswer;
      let text: string;
      try {
        if (limit.signal.aborted) throw reasonOf(limit.signal);
        sent = true;
        answer = await caller.transport.send(call, { signal: limit.signal, lane: 'calls' });
        text = await answer.body.text();
      } catch (error) {
        if (limit.signal.aborted || error instanceof TranshipError) throw error;
        const code = networkCode(error);
        if (neverSent(code)) sent = false;
        const wait = afterFailure(code, { attempt, repeatable: call.repeatable });
        if (wait === undefined) throw connectionError(error, call.subject, sent && !call.repeatable);
        await pause(wait, limit.signal);
        continue;
      }
      for (const warning of warningTexts(answer.headers['warning'])) caller.warn(warning);
      if (answer.statusCode < 400) return text;
      sent = false;
      if (answer.statusCode === 401 && !newCredential && caller.transport.access.credentials.refused()) {
        newCredential = true;
        continue;
      }
      const header = answer.headers['retry-after'];
      const wait = afterAnswer(answer.statusCode, typeof header === 'string' ? header : undefined, {
        attempt,
        repeatable: call.repeatable,
      });
      if (wait === undefined) throw statusError(answer.statusCode, text, call.subject);
      await pause(wait, limit.signal);
    }
  } catch (error) {
    if (limit.expired()) throw tooLate(call, options, sent);
    if (limit.signal.aborted) throw reasonOf(limit.signal);
    throw error;
  } finally {
    limit.clear();
  }
}

/** Sends a call and gives the parsed JSON of the answer; undefined for an empty body. */
export async function callJson(caller: Caller, call: Call, options: CallOptions = {}): Promise<unknown> {
  const text = await callText(caller, call, options);
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch (cause) {
    const { cluster, verb, what } = call.subject;
    throw new TranshipError('Unsupported', `Cluster ${cluster} answered to ${verb} ${what} with something that is not JSON.`, { cause });
  }
}

function tooLate(call: Call, options: CallOptions, sent: boolean): TranshipError {
  const seconds = (options.timeoutMs ?? DEFAULT_TIMEOUT_MS) / 1000;
  const { server, cluster, verb, what } = call.subject;
  const open = sent && !call.repeatable;
  const sentence = `${server} (context ${cluster}) did not finish ${verb} of ${what} within ${seconds} s${open ? ': unknown outcome' : ''}.`;
  return new TranshipError('TimedOut', sentence, { details: open ? { outcome: 'unknown' } : {} });
}
