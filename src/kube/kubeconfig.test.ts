import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { inspect } from 'node:util';
import { TranshipError } from '../errors.ts';
import { loadKubeconfig } from './kubeconfig.ts';
import { parseUntrustedKubeconfig } from './untrusted-kubeconfig.ts';

const PEM = '-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n';
const PEM64 = Buffer.from(PEM).toString('base64');

async function scratch(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kubeconfig-'));
  t.after(() => rm(directory, { recursive: true }));
  return directory;
}

function config(parts: { cluster?: object; user?: object; context?: object; name?: string }): string {
  const { name = 'old' } = parts;
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [
      {
        name: `${name}-cluster`,
        cluster: { server: `https://${name}.example:6443/`, 'certificate-authority-data': PEM64, ...parts.cluster },
      },
    ],
    users: [{ name: `${name}-user`, user: parts.user ?? { token: 'canary-token' } }],
    contexts: [{ name, context: { cluster: `${name}-cluster`, user: `${name}-user`, namespace: 'shop', ...parts.context } }],
  });
}

function failsWith(code: string, words: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof TranshipError, inspect(error));
    assert.equal(error.code, code, error.message);
    assert.match(`${error.message} ${error.hint ?? ''}`, words);
    assert.doesNotMatch(inspect(error, { depth: 9 }), /canary/);
    return true;
  };
}

describe('loadKubeconfig', () => {
  it('reads inline values, and shows no secret when printed', async (t) => {
    const path = join(await scratch(t), 'config');
    await writeFile(path, config({ cluster: { 'tls-server-name': 'inner', 'proxy-url': 'http://me:canary-password@proxy:3128' } }));
    const file = loadKubeconfig({ path });
    assert.equal(file.currentContext, 'old');
    assert.deepEqual(file.contexts(), [{ name: 'old', server: 'https://old.example:6443/', namespace: 'shop' }]);
    const access = file.access('old');
    assert.equal(access.server, 'https://old.example:6443');
    assert.equal(access.ca, PEM);
    assert.equal(access.tlsServerName, 'inner');
    assert.equal(access.proxy?.().host, 'proxy:3128');
    assert.deepEqual(await access.credentials.current(), { token: 'canary-token' });
    const { ca: _ca, ...rest } = access;
    assert.doesNotMatch(inspect(rest, { depth: 9 }) + JSON.stringify(rest), /canary/);
  });

  it('merges the files of KUBECONFIG: the first to say something wins, missing ones are skipped, paths start at their own file', async (t) => {
    const directory = await scratch(t);
    await mkdir(join(directory, 'b'));
    await writeFile(join(directory, 'b', 'ca.pem'), PEM.replace('canary', 'from-b'));
    await writeFile(join(directory, 'b', 'token'), 'token-from-file\n');
    await writeFile(join(directory, 'a.yaml'), config({ name: 'old' }));
    const fromB = {
      cluster: { 'certificate-authority-data': undefined, 'certificate-authority': 'ca.pem' },
      user: { token: 'stale', tokenFile: 'token' },
    };
    await writeFile(join(directory, 'b', 'b.yaml'), config({ name: 'new', ...fromB }));
    await writeFile(join(directory, 'c.yaml'), config({ name: 'old', cluster: { server: 'https://loser.example' } }));
    const list = ['a.yaml', 'missing.yaml', join('b', 'b.yaml'), 'c.yaml'].map((file) => join(directory, file)).join(':');
    const file = loadKubeconfig({ env: { KUBECONFIG: `:${list}`, HOME: directory } });
    assert.equal(file.currentContext, 'old');
    assert.deepEqual(
      file.contexts().map((context) => context.server),
      ['https://old.example:6443/', 'https://new.example:6443/'],
    );
    const access = file.access('new');
    assert.match(access.ca ?? '', /from-b/);
    assert.equal((await access.credentials.current()).token, 'token-from-file');
    await writeFile(join(directory, 'b', 'token'), 'rotated');
    assert.equal((await access.credentials.current()).token, 'rotated');
  });

  it('uses ~/.kube/config, and says what it looked for', async (t) => {
    const directory = await scratch(t);
    const empty = loadKubeconfig({ env: { HOME: directory } });
    assert.deepEqual(empty.contexts(), []);
    assert.throws(() => empty.access('old'), failsWith('NotFound', /"old" is not in the kubeconfig.*\.kube\/config/));
    await mkdir(join(directory, '.kube'));
    await writeFile(join(directory, '.kube', 'config'), config({}));
    assert.throws(
      () => loadKubeconfig({ env: { HOME: directory } }).access('oldd'),
      failsWith('NotFound', /"oldd" is not .*Known contexts: old\./),
    );
    assert.throws(() => loadKubeconfig({ path: join(directory, 'none') }), failsWith('NotFound', /does not exist/));
  });

  it('has a sentence for every broken entry', async (t) => {
    const directory = await scratch(t);
    const cases: [string, string, RegExp][] = [
      ['a: [canary', 'InvalidInput', /not valid YAML/],
      ['clusters: canary', 'InvalidInput', /not a kubeconfig: clusters/],
      ['users: [{name: a}, {name: a}]', 'InvalidInput', /two entries for the user "a"/],
      [config({ cluster: { server: 'ftp://canary' } }), 'InvalidInput', /no usable server/],
      [config({ cluster: { 'certificate-authority-data': 'canary' } }), 'InvalidInput', /certificate-authority-data .* not base64/],
      [
        config({ cluster: { 'certificate-authority-data': '', 'certificate-authority': 'none.pem' } }),
        'InvalidInput',
        /none\.pem\) cannot be read/,
      ],
      [config({ context: { cluster: 'x' } }), 'NotFound', /names the cluster "x"/],
      [config({ context: { user: 'x' } }), 'NotFound', /names the user "x"/],
      [config({ user: { 'client-certificate-data': PEM64 } }), 'InvalidInput', /without its key/],
      [config({ user: { 'auth-provider': { name: 'gcp' } } }), 'Unsupported', /auth-provider/],
    ];
    for (const [text, code, words] of cases) {
      const path = join(directory, 'config');
      await writeFile(path, text);
      assert.throws(() => loadKubeconfig({ path }).access('old'), failsWith(code, words), text.slice(0, 60));
    }
  });
});

describe('login plugins', { timeout: 120_000 }, () => {
  async function plugin(t: TestContext, script: string, more: object = {}, cluster: object = {}) {
    const directory = await scratch(t);
    await writeFile(
      join(directory, 'login.sh'),
      `#!/bin/sh\necho run >> "$(dirname "$0")/runs"\nprintf '%s' "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"\n${script}\n`,
    );
    await chmod(join(directory, 'login.sh'), 0o755);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './login.sh', interactiveMode: 'Never', ...more };
    await writeFile(join(directory, 'config'), config({ user: { exec }, cluster }));
    const { credentials } = loadKubeconfig({ path: join(directory, 'config') }).access('old');
    const runs = async (): Promise<number> => (await readFile(join(directory, 'runs'), 'utf8')).trim().split('\n').length;
    return { credentials, runs, info: async (): Promise<unknown> => JSON.parse(await readFile(join(directory, 'info'), 'utf8')) };
  }

  const token = (value: string, version = 'v1', more = ''): string =>
    `echo '{"apiVersion":"client.authentication.k8s.io/${version}","kind":"ExecCredential","status":{"token":"'${value}'"${more}}}'`;

  it('run once for many calls, again after 401, with their arguments and environment', async (t) => {
    const { credentials, runs, info } = await plugin(t, token('"$1-$MODE"'), { args: ['a b'], env: [{ name: 'MODE', value: 'x' }] });
    const given = await Promise.all([credentials.current(), credentials.current(), credentials.current()]);
    assert.deepEqual(
      given,
      Array.from({ length: 3 }, () => ({ token: 'a b-x' })),
    );
    await credentials.current();
    assert.equal(await runs(), 1);
    assert.equal(credentials.refused(), true);
    await credentials.current();
    assert.equal(await runs(), 2);
    assert.deepEqual(await info(), { apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', spec: { interactive: false } });
  });

  it('run again when the credential expired, and learn of the cluster when they want to', async (t) => {
    const version = { apiVersion: 'client.authentication.k8s.io/v1beta1', provideClusterInfo: true };
    const extensions = [{ name: 'client.authentication.k8s.io/exec', extension: { audience: 'x' } }];
    const { credentials, runs, info } = await plugin(t, token('old', 'v1beta1', ',"expirationTimestamp":"2001-01-01T00:00:00Z"'), version, {
      extensions,
    });
    await credentials.current();
    await credentials.current();
    assert.equal(await runs(), 2);
    assert.deepEqual(await info(), {
      apiVersion: 'client.authentication.k8s.io/v1beta1',
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: { server: 'https://old.example:6443', 'certificate-authority-data': PEM64, config: { audience: 'x' } },
      },
    });
  });

  it('give certificates', async (t) => {
    const status = JSON.stringify({ clientCertificateData: 'C', clientKeyData: 'K' });
    const { credentials } = await plugin(
      t,
      `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":${status}}'`,
    );
    assert.deepEqual(await credentials.current(), { clientCert: { cert: 'C', key: 'K' } });
  });

  it('fail with a sentence and without their output', async (t) => {
    const cases: [string, object, string, RegExp][] = [
      ['echo canary; exit 3', { installHint: 'Install it.' }, 'Unauthorized', /failed \(exit code 3\).*Install it\./],
      ['echo canary', {}, 'Unauthorized', /did not answer with an ExecCredential/],
      [token('canary', 'v1beta1'), {}, 'Unauthorized', /asked was client/],
      [token('canary'), { apiVersion: 'client.authentication.k8s.io/v1alpha1' }, 'Unsupported', /v1alpha1/],
      [token('canary'), { command: 'no-such-plugin-here' }, 'Unauthorized', /cannot be started/],
    ];
    for (const [script, more, code, words] of cases) {
      const { credentials } = await plugin(t, script, more);
      await assert.rejects(credentials.current(), failsWith(code, words));
    }
  });
});

describe('parseUntrustedKubeconfig', () => {
  it('takes inline values', async () => {
    const access = parseUntrustedKubeconfig(config({}));
    assert.equal(access.server, 'https://old.example:6443');
    assert.deepEqual(await access.credentials.current(), { token: 'canary-token' });
  });

  it('refuses everything that acts on our side, also in entries that are not used', () => {
    const marker = join(tmpdir(), `untrusted-${process.pid}`);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: '/bin/touch', args: [marker], interactiveMode: 'Never' };
    const cases: [object, object, RegExp][] = [
      [{}, { exec }, /"exec" in user "old-user", which would run a program/],
      [{}, { token: 'canary', 'auth-provider': { name: 'gcp', config: { 'cmd-path': '/bin/touch' } } }, /"auth-provider"/],
      [{}, { tokenFile: '/etc/shadow' }, /"tokenFile".*would read a file/],
      [{}, { 'client-certificate': '/etc/passwd', 'client-key': '/etc/shadow' }, /"client-certificate"/],
      [{ 'certificate-authority': '/etc/passwd' }, { token: 'canary' }, /"certificate-authority"/],
      [{ 'proxy-url': 'http://evil' }, { token: 'canary' }, /"proxy-url"/],
      [{ 'insecure-skip-tls-verify': true }, { token: 'canary' }, /"insecure-skip-tls-verify"/],
      [{ server: 'http://old.example' }, { token: 'canary' }, /without TLS/],
    ];
    for (const [cluster, user, words] of cases)
      assert.throws(() => parseUntrustedKubeconfig(config({ cluster, user })), failsWith('Forbidden', words));
    const hidden = {
      ...(JSON.parse(config({})) as object),
      users: [
        { name: 'old-user', user: { token: 'canary' } },
        { name: 'later', user: { exec } },
      ],
    };
    assert.throws(() => parseUntrustedKubeconfig(JSON.stringify(hidden)), failsWith('Forbidden', /user "later"/));
  });

  it('wants a credential and a context', () => {
    assert.throws(() => parseUntrustedKubeconfig(config({ user: {} })), failsWith('InvalidInput', /neither a token nor/));
    assert.throws(() => parseUntrustedKubeconfig(config({}), { contextName: 'x' }), failsWith('NotFound', /no complete context "x"/));
    assert.throws(
      () => parseUntrustedKubeconfig('a: &a [*a, *a]\nb: &b [*a,*a,*a]', { origin: 'The Secret x' }),
      failsWith('NotFound', /The Secret x/),
    );
  });
});
