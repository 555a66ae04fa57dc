/** Remote commands, logs and forwarded ports through a real API server, kubelet and container runtime. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import { codeOf } from '../../src/errors.ts';
import { kubeDetails, resources, type KubeClient } from '../../src/kube/index.ts';
import { imageRef } from '../../testbed/images/index.ts';
import { clientOf, noBed, theBed } from '../support/bed.ts';

const namespace = `exec-${randomBytes(3).toString('hex')}`;
const pod = 'shell';
const MiB = 1024 * 1024;

describe('sessions with a running pod', { skip: noBed, timeout: 900_000 }, () => {
  let kube: KubeClient;

  before(async () => {
    kube = clientOf(theBed(), 'source');
    await kube.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const script =
      'mkdir /tmp/www && echo "hello from the pod" > /tmp/www/index.html && httpd -p 8080 -h /tmp/www && echo started && exec sleep 3600';
    await kube.create(resources.pods, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod, namespace },
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        containers: [
          {
            name: 'main',
            image: await imageRef('busybox'),
            command: ['sh', '-c', script],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          },
        ],
      },
    });
    const stop = new AbortController();
    for await (const { object } of kube.watch(resources.pods, { namespace, signal: stop.signal })) {
      const { conditions } = (object['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
      if (conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true) stop.abort();
    }
  });

  after(async () => {
    await kube.delete(resources.namespaces, namespace, undefined, { propagation: 'Background' });
    await kube.close();
  });

  async function run(command: string[]): Promise<{ code: number; out: string; err: string }> {
    const session = await kube.exec({ namespace, pod, command });
    const [out, err, { code }] = await Promise.all([text(session.stdout), text(session.stderr), session.exit]);
    return { code, out, err };
  }

  it('gives output, errors and the exit code', async () => {
    assert.deepEqual(await run(['sh', '-c', 'echo "$0"; echo bad >&2; exit 42', 'ü & "x"']), { code: 42, out: 'ü & "x"\n', err: 'bad\n' });
    assert.deepEqual(await run(['true']), { code: 0, out: '', err: '' });
    assert.equal((await run(['sh', '-c', 'kill -9 $$'])).code, 137);
  });

  it('takes 5 MB of input whole, and ends it', async () => {
    const input = randomBytes(5_000_003);
    // stdout stays open to the end: the runtime closes stdin with it (testbed trap 1).
    const session = await kube.exec({
      namespace,
      pod,
      stdin: true,
      command: ['sh', '-c', 'cat > /tmp/in; wc -c < /tmp/in; sha256sum < /tmp/in'],
    });
    session.stderr.resume();
    const [, out, { code }] = await Promise.all([pipeline(Readable.from([input]), session.stdin), text(session.stdout), session.exit]);
    assert.deepEqual(out.split(/\s+/).slice(0, 2), [String(input.length), createHash('sha256').update(input).digest('hex')]);
    assert.equal(code, 0);
  });

  it('gives 50 MB of output whole, also to a slow reader', async () => {
    const size = 50 * MiB;
    const session = await kube.exec({
      namespace,
      pod,
      command: ['sh', '-c', `head -c ${size} /dev/urandom | tee /tmp/out; sha256sum < /tmp/out >&2`],
    });
    const hash = createHash('sha256');
    let bytes = 0;
    const [sum, { code }] = await Promise.all([
      text(session.stderr),
      session.exit,
      (async () => {
        for await (const chunk of session.stdout as AsyncIterable<Buffer>) {
          hash.update(chunk);
          bytes += chunk.length;
          await new Promise(setImmediate);
        }
      })(),
    ]);
    assert.equal(bytes, size);
    assert.equal(sum.split(' ')[0], hash.digest('hex'));
    assert.equal(code, 0);
  });

  it('says what cannot run', async () => {
    const missing = await kube.exec({ namespace, pod, command: ['/no/such/program'] });
    missing.stdout.resume();
    missing.stderr.resume();
    await assert.rejects(missing.exit, /no such file|not found/i);
    await assert.rejects(kube.exec({ namespace, pod: 'nobody', command: ['true'] }), (error) => codeOf(error) === 'NotFound');
    await assert.rejects(
      kube.exec({ namespace, pod, container: 'other', command: ['true'] }),
      (error) => kubeDetails(error)?.status === 400,
    );
  });

  it('ends the remote command when it is aborted', async () => {
    const stop = new AbortController();
    const session = await kube.exec(
      { namespace, pod, stdin: true, command: ['sh', '-c', 'echo here; cat > /dev/null; echo gone > /tmp/aborted'] },
      { signal: stop.signal },
    );
    for await (const chunk of session.stdout as AsyncIterable<Buffer>) {
      assert.equal(chunk.toString(), 'here\n');
      break;
    }
    stop.abort();
    await assert.rejects(session.exit, (error) => codeOf(error) === 'Canceled');
    // Its input ended with the session, so it came to its end.
    const seen = await run(['sh', '-c', 'for i in $(seq 100); do test -f /tmp/aborted && break; sleep 0.1; done; cat /tmp/aborted']);
    assert.equal(seen.out, 'gone\n');
  });

  it('reads logs', async () => {
    assert.equal(await kube.logs({ namespace, pod }), 'started\n');
    assert.equal(await kube.logs({ namespace, pod, container: 'main', tailLines: 0 }), '');
  });

  it('forwards a port', async () => {
    const stream = await kube.portForward({ namespace, pod, port: 8080 });
    stream.write('GET / HTTP/1.0\r\n\r\n');
    assert.match(await text(stream), /^HTTP\/1\.[01] 200 OK[^]*hello from the pod\n$/);
    const refused = await kube.portForward({ namespace, pod, port: 9 });
    await assert.rejects(text(refused), /port 9 of Pod .*failed: .*refused/);
  });
});
