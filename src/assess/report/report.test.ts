import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assessCase, deployment, object } from '../fixtures/sides.ts';
import { escapeHtml, htmlReport } from './html.ts';
import { markdownReport, markdownText } from './markdown.ts';
import { textReport } from './text.ts';

const evil =
  '<script>alert(1)</script>"\'`\u001b[31m\u202e| [x](javascript:alert(1)) ![i](https://evil.example/x.png) <img src=x onerror=alert(1)>';
/** RBAC names may hold almost anything; so may what a surface file of others says. */
const hostile = assessCase({
  objects: [
    deployment({ nodeName: evil }, {}, 'web'),
    object(
      'RoleBinding',
      evil,
      { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: evil }] },
      'rbac.authorization.k8s.io/v1',
    ),
  ],
  source: { surface: { cluster: { id: 'a', name: evil, version: evil } } },
  target: { surface: { cluster: { id: 'b', name: evil, version: 'v1.36.0' } } },
  answers: `apiVersion: tranship.io/v1alpha1\nkind: AssessmentAnswers\nanswers: { approver: ${JSON.stringify(evil)} }\naccepted: [{ finding: UsersBound, reason: ${JSON.stringify(evil)} }]`,
});

const ELEMENTS = new Set([
  'html',
  'head',
  'meta',
  'title',
  'style',
  'body',
  'h1',
  'h2',
  'p',
  'strong',
  'em',
  'br',
  'table',
  'tr',
  'th',
  'td',
  'ul',
  'li',
  'code',
  'span',
]);

test('HTML: only our own elements, only class and meta attributes, nothing loaded, whatever the names are', () => {
  const text = htmlReport(hostile);
  const tags = [...text.matchAll(/<([^>]*)>/g)].map(([, inner = '']) => inner);
  assert.ok(tags.length > 50);
  for (const tag of tags) {
    if (tag === '!DOCTYPE html') continue;
    const name = /^\/?([a-z0-9]+)/.exec(tag)?.[1] ?? '';
    assert.ok(ELEMENTS.has(name), `<${tag}>`);
    if (name !== 'meta' && name !== 'html') assert.match(tag, /^\/?[a-z0-9]+(?: class="[a-z ]*")?(?: \/)?$/, `<${tag}>`);
  }
  assert.match(text, /Content-Security-Policy" content="default-src 'none'/);
  assert.ok(!/url\(|@import/.test(text.slice(text.indexOf('<style>'), text.indexOf('</style>'))));
  assert.ok(text.includes('&lt;script&gt;'));
  assert.ok(!text.includes('\u001b') && !text.includes('\u202e'));
  assert.equal(escapeHtml(`<>&"'\``), '&lt;&gt;&amp;&quot;&#39;&#96;');
});

test('Markdown: no HTML, no link, no picture, no broken table', () => {
  const text = markdownReport(hostile);
  assert.ok(!/<(?!br>)[a-z/!]/i.test(text));
  assert.ok(!/(?<!\\)\]\(/.test(text) && !/(?<!\\)!\[/.test(text));
  assert.ok(!/https?:\/\//.test(text));
  for (const line of text.split('\n').filter((each) => each.startsWith('| '))) {
    const cells = line.replaceAll('\\\\', '').replaceAll('\\|', '').split('|').length;
    assert.ok([5, 6, 7].includes(cells), `${cells}: ${line}`);
  }
  assert.equal(markdownText('a|b<c>'), 'a\\|b&lt;c&gt;');
});

test('text: no character that steers a terminal', () => {
  const text = textReport(hostile, { verbose: true });
  assert.ok(!/[^\P{Cc}\n]|\p{Cf}/u.test(text));
  assert.match(text, /BLOCKS \(\d+\):/);
  assert.match(text, /SCH-1 +NodeNameFixed/);
  assert.match(text, /Something stands against the move\./);
});

test('many objects with the same finding are told once', () => {
  const many = assessCase({ objects: Array.from({ length: 5 }, (_, index) => deployment({ nodeName: 'gone' }, {}, `w${index}`)) });
  assert.equal(many.findings.filter(({ id }) => id === 'NodeNameFixed').length, 5);
  assert.equal([...textReport(many).matchAll(/NodeNameFixed/g)].length, 1);
  assert.match(textReport(many), /w0, .*w1, .*w2 and 2 more/);
});
