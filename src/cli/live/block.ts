/**
 * A block of lines at the end of a terminal that is drawn again and again, with finished lines printed above it. Text that others write
 * meanwhile (a warning of Node, a child) is noticed: the block is taken away first and drawn again below it.
 */
import type { Output } from '../surroundings.ts';

export class LiveBlock {
  readonly #output: Output;
  readonly #write: (text: string) => unknown;
  #drawn = 0;
  #lines: readonly string[] = [];
  #closed = false;

  constructor(output: Output) {
    this.#output = output;
    const original = output.write.bind(output);
    this.#write = original;
    output.write = (text: string) => {
      this.#erase();
      const result = original(text);
      if (text.endsWith('\n')) this.#draw();
      return result;
    };
  }

  /** Replaces the block. Lines longer than the terminal are cut, because a wrapped line cannot be erased. */
  show(lines: readonly string[]): void {
    if (this.#closed) return;
    this.#erase();
    this.#lines = lines;
    this.#draw();
  }

  /** Prints a line for good, above the block. */
  print(line: string): void {
    this.#erase();
    this.#write(`${line}\n`);
    this.#draw();
  }

  /** Takes the block away and leaves the output as it was. */
  close(): void {
    if (this.#closed) return;
    this.#erase();
    this.#closed = true;
    // The method of the prototype shows again.
    Reflect.deleteProperty(this.#output, 'write');
    if (this.#output.write === undefined) Object.assign(this.#output, { write: this.#write });
  }

  #erase(): void {
    if (this.#drawn > 0) this.#write(`\u001b[${this.#drawn}A\u001b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    if (this.#closed || this.#lines.length === 0) return;
    const width = Math.max(20, this.#output.columns ?? 80) - 1;
    this.#write(`${this.#lines.map((line) => cut(line, width)).join('\n')}\n`);
    this.#drawn = this.#lines.length;
  }
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
