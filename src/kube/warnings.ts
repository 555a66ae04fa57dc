/** Warning headers (RFC 7234 5.5): `299 - "text"`, the way the API server tells of deprecated versions and ignored fields. */

/** The texts of one or more Warning headers. */
export function warningTexts(header: string | string[] | undefined): string[] {
  if (header === undefined) return [];
  const line = Array.isArray(header) ? header.join(', ') : header;
  return [...line.matchAll(/\d{3} \S+ "((?:[^"\\]|\\.)*)"/g)].map((match) => (match[1] ?? '').replace(/\\(.)/g, '$1'));
}

/** A bounded set of warnings: a server that words each one differently must not fill our memory. */
export class WarningBox {
  readonly #texts = new Set<string>();

  add(text: string): void {
    if (this.#texts.size < 500) this.#texts.add(text);
  }

  take(): string[] {
    const texts = [...this.#texts];
    this.#texts.clear();
    return texts;
  }
}
