/** The story of `tranship assess`: both sides from a cluster or a file, the answers, the assessment, the report. */
import { readFile } from 'node:fs/promises';
import type { AnswersFile, Assessment, Verdict } from '../api/assessment.ts';
import type { Mapping } from '../api/plan.ts';
import type { SurfaceFile } from '../api/surface-file.ts';
import { answersTemplate, assess, htmlReport, markdownReport, noAnswers, parseAnswers, readSide, textReport } from '../assess/index.ts';
import { sentenceOf, TranshipError } from '../errors.ts';
import { exitCodes } from './exit-codes.ts';
import { readSurfaceFile } from './export-surface.ts';
import { checkMaps } from './objects.ts';
import { openContext } from './reach.ts';
import type { Surroundings } from './surroundings.ts';
import type { AssessOptions } from './verbs/assess.ts';

const codes: Readonly<Record<Verdict, number>> = { clear: exitCodes.ok, open: exitCodes.incomplete, blocked: exitCodes.blocked };

export async function assessMove(surroundings: Surroundings, options: AssessOptions): Promise<number> {
  const { stdout } = surroundings;
  if (options.printAnswers === true) {
    stdout.write(answersTemplate());
    return exitCodes.ok;
  }
  const stop = new AbortController();
  const quiet = surroundings.onSignal(() => stop.abort());
  try {
    const answers = await readAnswers(options.answers);
    const mapping = mappingOf(options);
    const { source, target } = await bothSides(surroundings, options, mapping, stop.signal);
    const { assessment } = assess({ source, target, mapping, answers, read: options.read });
    stdout.write(report(assessment, options));
    return codes[assessment.verdict];
  } finally {
    quiet();
  }
}

function report(assessment: Assessment, { output, verbose }: AssessOptions): string {
  switch (output) {
    case 'json':
      return `${JSON.stringify(assessment, undefined, 2)}\n`;
    case 'markdown':
      return markdownReport(assessment);
    case 'html':
      return htmlReport(assessment);
    case 'text':
      return textReport(assessment, { verbose: verbose === true });
    default:
      return output satisfies never;
  }
}

function mappingOf(options: AssessOptions): Mapping {
  const record = (pairs: AssessOptions['mapNamespace']) => Object.fromEntries((pairs ?? []).map(({ from, to }) => [from, to]));
  return {
    namespaces: record(options.mapNamespace),
    storageClasses: record(options.mapStorageClass),
    nodePorts: options.nodePorts,
    dnsNames: options.dnsNames,
    existing: options.existing,
  };
}

async function bothSides(
  { env }: Surroundings,
  options: AssessOptions,
  mapping: Mapping,
  signal: AbortSignal,
): Promise<{ source: SurfaceFile; target: SurfaceFile }> {
  one(options.from, options.fromFile, 'from');
  one(options.to, options.toFile, 'to');
  const sourceFile = options.fromFile === undefined ? undefined : await fileOf(options.fromFile, 'source');
  const targetFile = options.toFile === undefined ? undefined : await fileOf(options.toFile, 'target');
  const namespaces = options.namespace ?? sourceFile?.namespaces;
  if (namespaces === undefined) throw new TranshipError('InvalidInput', 'Name the namespaces to move with -n.');
  checkMaps({ namespace: namespaces, ...(options.mapNamespace !== undefined && { mapNamespace: options.mapNamespace }) });
  if (sourceFile !== undefined) demandNamespaces(sourceFile, namespaces, options.fromFile ?? '', true);
  const mapped = namespaces.map((name) => mapping.namespaces[name] ?? name);
  if (targetFile !== undefined) demandNamespaces(targetFile, mapped, options.toFile ?? '', false);
  const targetClient = options.to === undefined ? undefined : openContext(options.to, options.kubeconfig, env);
  const sourceClient = options.from === undefined ? undefined : openContext(options.from, options.kubeconfig, env);
  try {
    const types = targetFile?.surface.resources ?? (await targetClient?.discover({ signal }))?.resources;
    const [source, target] = await Promise.all([
      sourceFile ?? (sourceClient && readSide(sourceClient, { side: 'source', namespaces, signal, ...(types && { target: types }) })),
      targetFile ?? (targetClient && readSide(targetClient, { side: 'target', namespaces: mapped, signal })),
    ]);
    if (source === undefined || target === undefined) throw new TranshipError('Internal', 'A side was not read.');
    return { source, target };
  } finally {
    await Promise.all([sourceClient?.close(), targetClient?.close()]);
  }
}

function one(context: string | undefined, file: string | undefined, side: 'from' | 'to'): void {
  if ((context === undefined) === (file === undefined)) {
    throw new TranshipError('InvalidInput', `Give either --${side} with a context or --${side}-file with a surface file.`);
  }
}

async function fileOf(path: string, side: SurfaceFile['side']): Promise<SurfaceFile> {
  const file = await readSurfaceFile(path);
  if (file.side === side) return file;
  throw new TranshipError('InvalidInput', `${path} was exported as the ${file.side}, and is given as the ${side}.`, {
    hint: `Export it with --${side === 'source' ? 'from' : 'to'}.`,
  });
}

/** A file knows only the namespaces that it was made for; of others it would say "nothing there". */
function demandNamespaces(file: SurfaceFile, wanted: readonly string[], path: string, exactly: boolean): void {
  const missing = wanted.filter((name) => !file.namespaces.includes(name));
  const more = exactly ? file.namespaces.filter((name) => !wanted.includes(name)) : [];
  if (missing.length + more.length === 0) return;
  throw new TranshipError('InvalidInput', `${path} is about the namespaces ${file.namespaces.join(', ')}, not ${wanted.join(', ')}.`, {
    hint: `Export it with -n ${wanted.join(',')}.`,
  });
}

async function readAnswers(path: string | undefined): Promise<AnswersFile> {
  if (path === undefined) return noAnswers;
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TranshipError('NotFound', `The answers file ${path} cannot be read: ${sentenceOf(error)}.`, { cause: error });
  }
  return parseAnswers(text, path);
}
