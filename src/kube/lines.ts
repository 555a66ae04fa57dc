/** Splits a byte stream into JSON values, one per line, wherever the chunks were cut (also inside a character). */

const NEWLINE = 0x0a;

/**
 * @throws SyntaxError for a line that is not JSON. An unfinished last line is dropped: it is what a cut connection leaves.
 */
export async function* jsonLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator {
  let pending: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      pending.push(chunk.subarray(start, end));
      start = end + 1;
      const line = Buffer.concat(pending).toString('utf8').trim();
      pending = [];
      if (line !== '') yield JSON.parse(line);
    }
    if (start < chunk.length) pending.push(chunk.subarray(start));
  }
}
