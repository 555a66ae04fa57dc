/** What no tool can read and somebody must say, as data. Ids are stable: they are the keys of the answers file. */
import type { AssessedQuestion } from '../api/assessment.ts';
import type { AnswersFile } from '../api/assessment.ts';

type Answer = NonNullable<AnswersFile['answers'][string]>;

interface Judgement {
  result: NonNullable<AssessedQuestion['result']>;
  remark?: string;
}

export interface Question {
  id: string;
  question: string;
  why: string;
  canBlock: boolean;
  /** How an answer looks, for the template of the file. */
  form: string;
  judge: (answer: Answer) => Judgement;
}

const pass: Judgement = { result: 'pass' };
const text = (answer: Answer) => (Array.isArray(answer) ? answer.join(', ') : String(answer));
const isNo = (answer: Answer) => /^(?:no|false|none)$/i.test(text(answer).trim());

/** Seconds of `90s`, `15m`, `2h`, `3d`. */
export function durationOf(answer: Answer): number | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)\s*$/.exec(text(answer));
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[match?.[2] ?? ''];
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit;
}

/** yes: done or not needed. no: it stands against the move. */
function yesOrNo(remark: string): Question['judge'] {
  return (answer) => (isNo(answer) ? { result: 'block', remark } : pass);
}

function duration(judge: (seconds: number) => Judgement): Question['judge'] {
  return (answer) => {
    const seconds = durationOf(answer);
    return seconds === undefined ? { result: 'block', remark: `"${text(answer)}" is no time: write 90s, 15m, 2h or 3d.` } : judge(seconds);
  };
}

export const QUESTIONS: readonly Question[] = [
  {
    id: 'downtime-budget',
    question: 'For how long may the application be stopped?',
    why: 'The last copy needs a stop; how long decides about warm rounds and the window.',
    canBlock: true,
    form: 'a time: 90s, 15m, 2h',
    judge: duration((seconds) =>
      seconds < 10
        ? { result: 'block', remark: 'No move keeps the application running all the time: a stop of some seconds at least is needed.' }
        : pass,
    ),
  },
  {
    id: 'window',
    question: 'When may it be stopped?',
    why: 'People and jobs that need it must know.',
    canBlock: false,
    form: 'free text: Sunday 02:00 to 04:00 UTC',
    judge: () => pass,
  },
  {
    id: 'data-loss-budget',
    question: 'How much written data may be lost?',
    why: 'A move by stop and last copy loses nothing. A rollback after the start on the target loses what was written there.',
    canBlock: false,
    form: 'a time: 0s, 5m',
    judge: duration((seconds) =>
      seconds === 0
        ? { result: 'warn', remark: 'After the start on the target a rollback would lose what was written there: decide before it.' }
        : pass,
    ),
  },
  {
    id: 'configuration-owner',
    question: 'Who owns the configuration: git, helm, an operator, or people by hand?',
    why: 'Who applies from elsewhere must be pointed at the target, and paused at the source during the move.',
    canBlock: false,
    form: 'git, helm, operator or hand',
    judge: (answer) =>
      /git/i.test(text(answer)) ? { result: 'warn', remark: 'Pause the synchronisation before the stop, and add the target to it.' } : pass,
  },
  {
    id: 'same-backends',
    question: 'Do both clusters reach the same backends (databases, queues, file servers), by names that resolve on both sides?',
    why: 'A peering, VPN or private DNS zone of the old network is not there on the new one.',
    canBlock: true,
    form: 'yes or no, and by which path',
    judge: yesOrNo('The application would come up without its backends.'),
  },
  {
    id: 'old-address-known',
    question: 'Is every outside system prepared that knows the address from which the application calls (allow lists, firewalls)?',
    why: 'The target calls from other addresses.',
    canBlock: true,
    form: 'yes (also when there is none) or no',
    judge: yesOrNo('Calls to these systems would be refused.'),
  },
  {
    id: 'old-url-known',
    question: 'Is everybody prepared who knows the address or URL of the application (DNS, partners, certificates)?',
    why: 'The target gets other load balancer addresses; resolvers keep old ones for their time to live.',
    canBlock: true,
    form: 'yes (also when there is nobody) or no',
    judge: yesOrNo('They would still go to the old cluster.'),
  },
  {
    id: 'token-issuer-known',
    question: 'Is every outside system prepared that trusts tokens of the old cluster (cloud roles, Vault, OIDC)?',
    why: 'Each cluster signs by its own issuer.',
    canBlock: true,
    form: 'yes (also when there is none) or no',
    judge: yesOrNo('They would refuse the tokens of the target.'),
  },
  {
    id: 'never-twice',
    question: 'Which jobs or consumers must never run twice?',
    why: 'They decide about the window, and whether a rollback is allowed after the start on the target.',
    canBlock: true,
    form: 'a list of names, or none',
    judge: (answer) =>
      isNo(answer) || (Array.isArray(answer) && answer.length === 0)
        ? pass
        : { result: 'warn', remark: 'See that none of them runs while the application is stopped, and before a rollback.' },
  },
  {
    id: 'approver',
    question: 'Who may say that the move is final?',
    why: 'Until then the source is kept ready.',
    canBlock: false,
    form: 'a name or role',
    judge: () => pass,
  },
  {
    id: 'keep-source',
    question: 'How long does the old side stay?',
    why: 'It is the way back, and it costs money.',
    canBlock: false,
    form: 'a time: 7d',
    judge: duration((seconds) =>
      seconds < 86_400 ? { result: 'warn', remark: 'Less than a day: faults of the first night find no way back.' } : pass,
    ),
  },
  {
    id: 'health-signal',
    question: 'Which signal says that the application is well?',
    why: 'Ready pods are not a working shop.',
    canBlock: false,
    form: 'a URL, a query, a dashboard',
    judge: () => pass,
  },
];

/** The questions with what the file says to each. */
export function ask(answers: AnswersFile['answers']): AssessedQuestion[] {
  return QUESTIONS.map(({ id, question, why, canBlock, judge }) => {
    const answer = answers[id];
    if (answer === undefined || answer === null || text(answer).trim() === '') return { id, question, why, canBlock };
    return { id, question, why, canBlock, answer: text(answer), ...judge(answer) };
  });
}

/** A file to fill in. */
export function answersTemplate(): string {
  const lines = [
    '# What no tool can read. Fill in, and give it to: tranship assess … --answers FILE',
    'apiVersion: tranship.io/v1alpha1',
    'kind: AssessmentAnswers',
    'answers:',
  ];
  for (const { id, question, why, form } of QUESTIONS) lines.push(`  # ${question}`, `  # ${why} Write ${form}.`, `  ${id}:`);
  lines.push(
    '# What you know to be reachable from the target: host, or host:port.',
    'endpoints: {} # db.example.com:5432: reachable',
    'registries: {} # registry.example.com: reachable',
    '# Findings that you live with (not those that block): the id, perhaps the object, and why.',
    'accepted: [] # - { finding: ImageNotPinned, reason: "rebuilt every night" }',
    '',
  );
  return lines.join('\n');
}
