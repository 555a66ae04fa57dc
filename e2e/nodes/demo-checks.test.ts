/**
 * The demo's checks tell the truth: after a real move all of them pass, and after something was changed by hand on the target (a row, a
 * byte of a file, an attribute, a block, an object, a key of a ConfigMap) each change is found and named.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { dirname } from 'node:path';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { Check } from '../../demo/checks.ts';
import { runOf } from '../../demo/command.ts';
import { demoMove, moveShop, openShop, openSides, proveMove } from '../../demo/scenario.ts';
import { freshHub, noBed, theBed } from '../support/bed.ts';

const { to } = demoMove;

/** Changes files as root with a pod of its own: the application mounts its uploads read only. */
const tamper = `
apiVersion: v1
kind: Pod
metadata: { name: tamper, namespace: ${to} }
spec:
  restartPolicy: Never
  containers:
    - name: tamper
      image: localhost/busybox:1
      command:
        - sh
        - -ec
        - |
          cd /uploads
          touch -r pictures/picture-001.jpg /tmp/time
          printf X | dd of=pictures/picture-001.jpg bs=1 seek=1 conv=notrunc
          touch -r /tmp/time pictures/picture-001.jpg
          chmod 640 pictures/picture-002.jpg
          rm pictures/picture-003.jpg
      volumeMounts: [{ name: uploads, mountPath: /uploads }]
  volumes: [{ name: uploads, persistentVolumeClaim: { claimName: uploads } }]
`;

test("the demo's checks pass after a move, and find what was changed by hand", { skip: noBed, timeout: 900_000 }, async (t) => {
  const bed = theBed();
  const sides = openSides(bed);
  const hub = freshHub();
  sides.env['TRANSHIP_HUB'] = hub;
  const kubectl = async (...args: string[]): Promise<void> => {
    await promisify(execFile)(bed.kubectl, ['--kubeconfig', bed.kubeconfig, '--context', 'target', '-n', to, ...args]);
  };
  t.after(async () => {
    await sides.close();
    await rm(dirname(hub), { recursive: true, force: true });
  });

  const shop = await openShop(sides, demoMove, t.signal, () => {});
  t.after(() => shop.customer.stop());
  const run = runOf(`checks-${Date.now().toString(36)}`, demoMove, bed.s3.bucket);
  assert.equal(await moveShop(sides, shop, run, t.signal), 0);

  const honest = await proveMove(sides, shop, run, t.signal);
  assert.deepEqual(failures(honest.proof.checks), {});

  await kubectl(
    'exec',
    'postgres-0',
    '--',
    'psql',
    '-q',
    '-U',
    'shop',
    'shop',
    '-c',
    'update sales set amount = amount + 1 where id = 4242',
  );
  await kubectl(
    'exec',
    'postgres-0',
    '--',
    'psql',
    '-q',
    '-U',
    'shop',
    'shop',
    '-c',
    "delete from orders where customer = 'demo' and number = 3",
  );
  await kubectl('exec', 'deploy/ledger', '--', 'sh', '-c', 'printf X | dd of=/dev/ledger bs=1 seek=1000 conv=notrunc,fsync; true');
  await promisify(execFile)('sh', [
    '-c',
    'printf %s "$1" | "$2" --kubeconfig "$3" --context target apply -f -',
    'sh',
    tamper,
    bed.kubectl,
    bed.kubeconfig,
  ]);
  await kubectl('wait', 'pod/tamper', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s');
  await kubectl('delete', 'pod/tamper', 'pdb/web', '--wait');
  await kubectl('patch', 'configmap/settings', '-p', '{"data":{"SHOP_NAME":"Another shop"}}');

  const changed = failures((await proveMove(sides, shop, run, t.signal, honest.source)).proof.checks);
  assert.deepEqual(Object.keys(changed).toSorted(), [
    'Acknowledged writes',
    'Block device',
    'Database',
    'Objects',
    "Tranship's report",
    'Uploads',
  ]);
  assert.match(changed['Database']!.join('\n'), /^table orders: .*\ntable sales: checksum /);
  assert.match(changed['Acknowledged writes']!.join('\n'), /^1 of \d+(,\d+)* acknowledged orders are not on the target$/);
  assert.match(changed['Block device']!.join('\n'), /^hash /);
  const uploads = changed['Uploads']!.join('\n');
  assert.match(uploads, /"pictures\/picture-001\.jpg": sha256 /);
  assert.match(uploads, /"pictures\/picture-002\.jpg": mode 0644 became 0640/);
  assert.match(uploads, /"pictures\/picture-003\.jpg" is not on the target/);
  assert.match(uploads, /"pictures": mtime /);
  assert.deepEqual(changed['Objects']!.toSorted(), [
    `ConfigMap ${to}/settings: data/SHOP_NAME: "The little shop" became "Another shop"`,
    `PodDisruptionBudget.policy ${to}/web is not on the target, and no report says why`,
  ]);
});

/** Title → what differs, of the checks that failed. */
function failures(checks: Check[]): Record<string, string[]> {
  return Object.fromEntries(checks.filter((check) => check.differences.length > 0).map((check) => [check.title, check.differences]));
}
