/**
 * Turns a recorded terminal session into an SVG: what was on the screen at its end, with everything that scrolled away.
 *
 * Usage: script -qec 'make demo' demo.txt; tools/node tools/picture.ts demo.txt docs/demo.svg [--from TEXT] [--to TEXT] [--skip TEXT…TEXT] [--columns N]
 *   --from, --to   first and last line that is shown, by a text that it holds
 *   --skip         first and last line of a part that is shown as one "…"; may be repeated
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export interface Cell {
  text: string;
  bold: boolean;
  dim: boolean;
  /** CSS class: '', red, green, yellow, blue, magenta or cyan. */
  colour: string;
}

const colours: Record<number, string> = { 31: 'red', 32: 'green', 33: 'yellow', 34: 'blue', 35: 'magenta', 36: 'cyan', 39: '' };

/** Replays a session as a terminal does: new lines, returns, cursor up, erase, and the colours our programs use. */
export function replay(session: string, columns: number): Cell[][] {
  const lines: Cell[][] = [[]];
  let style = { bold: false, dim: false, colour: '' };
  let row = 0;
  let column = 0;
  // eslint-disable-next-line no-control-regex -- control characters are what this reads
  for (const part of session.matchAll(/\u001b\[([0-9;?]*)([A-Za-z])|[\s\S]/gu)) {
    const [all, numbers, action] = part;
    if (action === undefined) put(all);
    else if (action === 'm') restyle(numbers ?? '');
    else if (action === 'A') row = Math.max(0, row - Math.max(1, Number(numbers)));
    else if (action === 'K') lines[row] = numbers === '2' ? [] : (lines[row] ?? []).slice(0, column);
    else if (action === 'J') {
      lines[row] = (lines[row] ?? []).slice(0, column);
      lines.splice(row + 1);
    }
  }
  return lines;

  function put(character: string): void {
    if (character === '\r') column = 0;
    else if (character === '\n') newLine();
    else if (character >= ' ') {
      if (column >= columns) newLine();
      const line = (lines[row] ??= []);
      while (line.length < column) line.push({ text: ' ', bold: false, dim: false, colour: '' });
      line[column] = { text: character, ...style };
      column += 1;
    }
  }

  function newLine(): void {
    row += 1;
    column = 0;
    lines[row] ??= [];
  }

  function restyle(numbers: string): void {
    for (const number of numbers.split(';').map(Number)) {
      if (number === 0) style = { bold: false, dim: false, colour: '' };
      else if (number === 1) style = { ...style, bold: true };
      else if (number === 2) style = { ...style, dim: true };
      else if (number === 22) style = { ...style, bold: false, dim: false };
      else if (colours[number] !== undefined) style = { ...style, colour: colours[number] };
    }
  }
}

const width = 8.4;
const height = 19;

/** An SVG without scripts and without fonts of its own; readable on light and dark pages. */
export function svg(lines: readonly Cell[][], columns: number): string {
  const [w, h] = [Math.ceil(columns * width) + 32, lines.length * height + 52];
  const rows = lines.flatMap((line, index) => {
    const spans = spansOf(line);
    return spans === '' ? [] : [`<text x="16" y="${index * height + 54}" xml:space="preserve">${spans}</text>`];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" role="img" aria-label="A terminal with a run of make demo">
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d6dbe5}
.bold{font-weight:700;fill:#fff}.dim{fill:#8b94a7}.red{fill:#ff7b72}.green{fill:#6fdd8b}.yellow{fill:#e3c567}.blue{fill:#79b8ff}.magenta{fill:#d2a8ff}.cyan{fill:#76d9e6}
</style>
<rect width="${w}" height="${h}" rx="10" fill="#12161f"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/><circle cx="40" cy="18" r="6" fill="#febc2e"/><circle cx="60" cy="18" r="6" fill="#28c840"/>
${rows.join('\n')}
</svg>
`;
}

function spansOf(line: readonly Cell[]): string {
  let spans = '';
  let open = '';
  for (const cell of line) {
    const wanted = [cell.bold ? 'bold' : '', cell.dim ? 'dim' : '', cell.colour].filter((name) => name !== '').join(' ');
    if (wanted !== open) spans += `${open === '' ? '' : '</tspan>'}${wanted === '' ? '' : `<tspan class="${wanted}">`}`;
    open = wanted;
    spans += cell.text.replace('&', '&amp;').replace('<', '&lt;');
  }
  return spans.trimEnd() + (open === '' ? '' : '</tspan>');
}

/** The lines from the first that holds `from` to the next that holds `to`, both included; the words of `script` itself are left out. */
export function cut(lines: readonly Cell[][], from: string | undefined, to: string | undefined): Cell[][] {
  const text = (line: readonly Cell[]): string => line.map((cell) => cell.text).join('');
  const own = lines.filter((line) => !/^Script (started|done) on /.test(text(line)));
  const first = from === undefined ? 0 : own.findIndex((line) => text(line).includes(from));
  if (first < 0) throw new Error(`No line holds "${from}".`);
  const last = to === undefined ? own.length - 1 : own.findIndex((line, index) => index >= first && text(line).includes(to));
  if (last < 0) throw new Error(`No line behind "${from}" holds "${to}".`);
  return own.slice(first, last + 1);
}

/** Puts "…" in the place of the lines from the one that holds `from` to the next that holds `to`. */
export function skip(lines: readonly Cell[][], from: string, to: string): Cell[][] {
  const part = new Set(cut(lines, from, to));
  const first = lines.findIndex((line) => part.has(line));
  const mark: Cell[] = [' ', ' ', '…'].map((text) => ({ text, bold: false, dim: true, colour: '' }));
  return [...lines.slice(0, first), mark, ...lines.slice(first + part.size)];
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      from: { type: 'string' },
      to: { type: 'string' },
      skip: { type: 'string', multiple: true, default: [] },
      columns: { type: 'string', default: '110' },
    },
  });
  const [input, output] = positionals;
  if (input === undefined || output === undefined) throw new Error('Name the recording and the picture.');
  const columns = Number(values.columns);
  let lines = cut(replay(readFileSync(input, 'utf8'), columns), values.from, values.to);
  for (const part of values.skip) {
    const [from = '', to = ''] = part.split('…');
    lines = skip(lines, from, to);
  }
  writeFileSync(output, svg(lines, columns));
}
