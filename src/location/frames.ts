import type { Readable, Writable } from 'node:stream';
import { TranshipError } from '../errors.ts';

/** One line of the channel, and the raw bytes that it announced. */
export interface Frame {
  line: Record<string, unknown>;
  body: Uint8Array | undefined;
}

const longestLine = 4 << 20;
const longestBody = 80 << 20;

/**
 * JSON lines, each optionally followed by `body` raw bytes. Every line says at which byte of the stream it starts (`at`): a transport
 * that loses bytes and still ends well (containerd's exec does) is noticed at the next line.
 */
export async function* readFrames(input: Readable): AsyncGenerator<Frame> {
  let pieces: Buffer[] = [];
  let held = 0;
  let position = 0;
  let wanted: { line: Record<string, unknown>; body: number } | undefined;
  for await (const piece of input) {
    const bytes = Buffer.isBuffer(piece) ? piece : Buffer.from(piece as string);
    pieces.push(bytes);
    held += bytes.length;
    if (wanted === undefined && !bytes.includes(10)) {
      if (held > longestLine) throw new TranshipError('Integrity', 'The mover channel carries a line that is too long.');
      continue;
    }
    if (wanted !== undefined && held < wanted.body) continue;
    let buffer = pieces.length === 1 ? bytes : Buffer.concat(pieces, held);
    for (;;) {
      if (wanted !== undefined) {
        if (buffer.length < wanted.body) break;
        yield { line: wanted.line, body: buffer.subarray(0, wanted.body) };
        buffer = buffer.subarray(wanted.body);
        position += wanted.body;
        wanted = undefined;
      }
      const end = buffer.indexOf(10);
      if (end < 0) break;
      const line = parseLine(buffer.subarray(0, end), position);
      position += end + 1;
      buffer = buffer.subarray(end + 1);
      const body = line['body'];
      if (body === undefined) yield { line, body: undefined };
      else if (typeof body === 'number' && Number.isInteger(body) && body >= 0 && body <= longestBody) wanted = { line, body };
      else throw new TranshipError('Integrity', 'The mover channel announces a body of a wrong size.');
    }
    pieces = buffer.length === 0 ? [] : [buffer];
    held = buffer.length;
  }
  if (wanted !== undefined || held > 0) throw new TranshipError('Unreachable', 'The mover channel ended in the middle of a message.');
}

function parseLine(bytes: Buffer, position: number): Record<string, unknown> {
  let line: unknown;
  try {
    line = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new TranshipError('Integrity', 'The mover channel carries something that is not JSON.');
  }
  if (typeof line !== 'object' || line === null || Array.isArray(line))
    throw new TranshipError('Integrity', 'The mover channel carries a line that is no object.');
  const fields = line as Record<string, unknown>;
  const { at } = fields;
  if (at !== undefined && at !== position) {
    throw new TranshipError('Integrity', `The mover channel lost bytes: ${position} arrived, ${JSON.stringify(at)} were sent.`);
  }
  return fields;
}

/** Writes frames in order and waits when the other side reads slowly. */
export class FrameWriter {
  readonly #output: Writable;
  #position = 0;
  /** One wait for all that send meanwhile. */
  #draining: Promise<void> | undefined;

  constructor(output: Writable) {
    this.#output = output;
  }

  async send(line: Record<string, unknown>, body?: Uint8Array): Promise<void> {
    const text = Buffer.from(`${JSON.stringify({ ...line, at: this.#position, ...(body === undefined ? {} : { body: body.length }) })}\n`);
    this.#position += text.length + (body?.length ?? 0);
    let flows = this.#output.write(text);
    if (body !== undefined && body.length > 0) flows = this.#output.write(body);
    if (flows || this.#output.destroyed) return;
    this.#draining ??= drained(this.#output).finally(() => (this.#draining = undefined));
    await this.#draining;
  }
}

async function drained(output: Writable): Promise<void> {
  await new Promise<void>((done) => {
    const end = (): void => {
      output.off('drain', end);
      output.off('close', end);
      output.off('error', end);
      done();
    };
    output.once('drain', end);
    output.once('close', end);
    output.once('error', end);
  });
}
