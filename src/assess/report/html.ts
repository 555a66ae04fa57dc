/**
 * An assessment as one HTML file for people who have no terminal: no script, no link, no picture, nothing loaded from anywhere. The content
 * security policy in it says so to the browser, too.
 */
import type { AssessedFinding, Assessment } from '../../api/assessment.ts';
import { countsText, grouped, plain, SEVERITIES, SEVERITY_WORDS, sizeText, VERDICTS } from './words.ts';

/** Markup that is safe because `html` made it. */
class Safe {
  readonly markup: string;
  constructor(markup: string) {
    this.markup = markup;
  }
}

type Part = string | number | Safe | readonly Safe[];

export function escapeHtml(text: string): string {
  const names: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;' };
  return plain(text).replaceAll(/[&<>"'`]/g, (character) => names[character] ?? '');
}

/** Everything that is put in is escaped, unless this function made it. */
function html(texts: TemplateStringsArray, ...parts: Part[]): Safe {
  const shown = (part: Part): string => {
    if (part instanceof Safe) return part.markup;
    return typeof part === 'object' ? part.map(({ markup }) => markup).join('') : escapeHtml(String(part));
  };
  return new Safe(texts.reduce((all, text, index) => all + shown(parts[index - 1] ?? '') + text));
}

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;color:#1b1f24;background:#fff;max-width:70rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #d7dce1;overflow-wrap:anywhere}
th{font-weight:600;background:#f4f6f8}code{font:13px ui-monospace,monospace}
.verdict{padding:1rem;border-left:.4rem solid;font-size:1.1rem;background:#f4f6f8}
.blocked,.block{border-color:#b3261e;color:#8c1d18}.open,.unknown{border-color:#8a5a00;color:#6b4600}.clear{border-color:#1d6b34;color:#14532d}
.warn{color:#6b4600}.info,.small{color:#4a5560}.counts td{font-size:1.4rem;border:0}.fix{color:#14532d}
@media print{body{margin:0}.verdict{background:none}}`;

export function htmlReport(assessment: Assessment): string {
  const { source, target, namespaces, verdict } = assessment;
  const body = html`<h1>Moving ${namespaces.map((each) => each.source).join(', ')} from ${source.name} to ${target.name}</h1>
    <p class="verdict ${verdict}"><strong>${VERDICTS[verdict]}</strong><br />${countsText(assessment)}.</p>
    <table>
      <tr>
        <th></th>
        <th>source</th>
        <th>target</th>
      </tr>
      <tr>
        <td>cluster</td>
        <td>${source.name}</td>
        <td>${target.name}</td>
      </tr>
      <tr>
        <td>Kubernetes</td>
        <td>${source.version}</td>
        <td>${target.version}</td>
      </tr>
      <tr>
        <td>read at</td>
        <td>${source.readAt}</td>
        <td>${target.readAt}</td>
      </tr>
      ${namespaces.map(
        (each) =>
          html`<tr>
            <td>namespace</td>
            <td>${each.source}</td>
            <td>${each.target}</td>
          </tr>`,
      )}
    </table>
    <p>${assessment.objects} objects, ${assessment.volumes} volumes with ${sizeText(assessment.volumeBytes)}.</p>
    ${SEVERITIES.map((severity) => section(assessment, severity))} ${accepted(assessment)}
    <h2>Questions that only people can answer</h2>
    <table>
      <tr>
        <th>question</th>
        <th>why</th>
        <th>answer</th>
      </tr>
      ${assessment.questions.map(
        (each) =>
          html`<tr>
            <td>${each.question}</td>
            <td class="small">${each.why}</td>
            <td>
              ${each.answer === undefined ? html`<span class="${each.canBlock ? 'unknown' : 'info'}">open</span>` : html`${each.answer}`}
              ${each.remark === undefined ? '' : html`<br /><span class="${each.result ?? 'info'}">${each.remark}</span>`}
            </td>
          </tr>`,
      )}
    </table>
    <h2>What was not proven (${assessment.notProven.length})</h2>
    <ul>
      ${assessment.notProven.map(({ rule, title, reason }) => html`<li><code>${rule}</code> ${title}: ${reason}</li>`)}
    </ul>
    <h2>Checked, and nothing found (${assessment.passed.length})</h2>
    <ul>
      ${assessment.passed.map(({ rule, title }) => html`<li><code>${rule}</code> ${title}</li>`)}
    </ul>
    <p class="small">
      Made by tranship ${assessment.tool}. What was not proven is not promised: see each rule in its catalogue of findings.
    </p>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`Assessment: ${source.name} to ${target.name}`)}</title>
<style>${STYLE}</style>
</head>
<body>
${body.markup}
</body>
</html>
`;
}

function section(assessment: Assessment, severity: AssessedFinding['severity']): Safe {
  const groups = grouped(assessment.findings.filter((each) => each.severity === severity && each.accepted === undefined));
  if (groups.length === 0) return html``;
  return html`<h2 class="${severity}">
      ${SEVERITY_WORDS[severity].slice(0, 1).toUpperCase() + SEVERITY_WORDS[severity].slice(1)} (${groups.length})
    </h2>
    <table>
      <tr>
        <th>rule</th>
        <th>object</th>
        <th>what was seen, and what to do</th>
      </tr>
      ${groups.map(
        ({ first, subjects }) =>
          html`<tr>
            <td><code>${first.rule}</code><br /><span class="small">${first.id}</span></td>
            <td>${subjects.map((each) => html`<code>${each}</code><br />`)}</td>
            <td>${first.message}${first.fix === undefined ? '' : html`<br /><span class="fix">${first.fix}</span>`}</td>
          </tr>`,
      )}
    </table>`;
}

function accepted(assessment: Assessment): Safe {
  const list = assessment.findings.filter((each) => each.accepted !== undefined);
  if (list.length === 0) return html``;
  return html`<h2>Accepted (${list.length})</h2>
    <ul>
      ${list.map((each) => html`<li><code>${each.rule}</code> ${each.message} <em>${each.accepted ?? ''}</em></li>`)}
    </ul>`;
}
