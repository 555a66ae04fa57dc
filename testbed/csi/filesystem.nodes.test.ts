/** Filesystem volumes for real, without a kubelet: through the drivers' sockets, in a mount namespace, over their whole life. */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { detachAll } from './detach.ts';
import { listLoops } from './loop.ts';
import { gib, mib } from './medium.ts';
import type { Snapshot, Volume } from './messages.ts';
import { blocks, cannotRun, create, files, fromSnapshot, media, publish, Rig } from './rig.ts';

const skip = cannotRun();
/** Everything of a tree that a copy must keep: type, mode, owners, time to the nanosecond, links, size, target, attributes, content. */
const describeTree = `cd "$1"; find . -path ./lost+found -prune -o -printf '%P|%y|%m|%U|%G|%T@|%n|%l\\n' | sort
python3 -c '
import os,sys,hashlib
for d,ds,fs in os.walk("."):
  for n in sorted(ds+fs)+["."]:
    p=os.path.join(d,n)
    try: x={k:os.getxattr(p,k,follow_symlinks=False).hex() for k in sorted(os.listxattr(p,follow_symlinks=False))}
    except OSError: x={}
    h=hashlib.sha256(open(p,"rb").read()).hexdigest() if os.path.isfile(p) and not os.path.islink(p) else ""
    print(os.path.normpath(p).encode("utf-8","surrogateescape"),x,h,os.lstat(p).st_blocks if n=="sparse" else "")
' | sort`;

const makeTree = `cd "$1"; chown 999:998 .; chmod 2770 .
mkdir -p deep/er; echo one > deep/er/file; ln deep/er/file hard; ln -s nowhere/at-all link; mkfifo fifo; mknod null c 1 3
truncate -s 50M sparse; echo tail >> sparse; echo x > "$(printf 'not\\377utf8')"; chmod 4755 hard; chown 1234:4321 deep/er
head -c 3000000 /dev/urandom > random; touch -d '2001-02-03 04:05:06.123456789' deep random
python3 -c 'import os
os.setxattr("random","user.colour",b"blue\\x00green"); os.setxattr("deep","trusted.seen",b"1")
os.setxattr("random","security.capability",bytes.fromhex("0100000200040000000000000000000000000000"))'`;

const orphan = {
  plain: 'mkdir -p "$1/deep"',
  btrfs: 'btrfs subvolume create "$1"',
  ext4: 'truncate -s 16M "$1.ext4"',
};

let rig: Rig;

describe('filesystem volumes', { skip }, () => {
  before(async () => {
    rig = new Rig();
    await rig.start();
  });
  after(async () => {
    await rig.killNode();
    await detachAll(rig.stateDir);
    rig.remove();
  });

  for (const { name: driver, medium } of media) {
    describe(medium, () => {
      let volume: Volume;
      let snapshot: Snapshot;
      const target = (name: string): string => rig.target(`${medium}-${name}`);

      test('tells the kubelet and the sidecars what it is', async () => {
        const info = await rig.call<object>(driver, 'Registration.GetInfo', {}, 'pluginregistration');
        const endpoint = path.join(rig.kubelet, 'plugins', driver, 'csi.sock');
        assert.deepEqual(info, { type: 'CSIPlugin', name: driver, endpoint, supported_versions: ['1.0.0'] });
        const node = await rig.call<{ accessible_topology: object }>(driver, 'Node.NodeGetInfo', {});
        assert.deepEqual(node.accessible_topology, { segments: { [`topology.${driver}/node`]: 'node-test' } });
      });

      test('creates a volume once, however often it is asked, also at once', async () => {
        const request = create('data', files, 64 * mib);
        const answers = await Promise.all([1, 2, 3].map(() => rig.call<{ volume: Volume }>(driver, 'Controller.CreateVolume', request)));
        volume = answers[0]!.volume;
        assert.equal(volume.capacity_bytes, 64 * mib);
        for (const answer of answers) assert.deepEqual(answer.volume, volume);
        await rig.refused('ALREADY_EXISTS', driver, 'Controller.CreateVolume', create('data', files, gib));
        await rig.refused('ALREADY_EXISTS', driver, 'Controller.CreateVolume', create('data', blocks, 64 * mib));
      });

      test('publishes it, twice is once, and only below the kubelet', async () => {
        const request = publish(volume, target('data'));
        await rig.call(driver, 'Node.NodePublishVolume', request);
        await rig.call(driver, 'Node.NodePublishVolume', request);
        assert.equal(mountsAt(target('data')), 1);
        await rig.refused('ALREADY_EXISTS', driver, 'Node.NodePublishVolume', { ...request, readonly: true });
        for (const bad of ['/etc/cron.d', `${rig.kubelet}/../x`, rig.kubelet, 'relative']) {
          await rig.refused('INVALID_ARGUMENT', driver, 'Node.NodePublishVolume', publish(volume, bad));
        }
        rig.sh('ln -sfn / "$1/out"', rig.kubelet);
        await rig.refused('INVALID_ARGUMENT', driver, 'Node.NodePublishVolume', publish(volume, `${rig.kubelet}/out/srv/x`));
        await rig.refused('NOT_FOUND', driver, 'Node.NodePublishVolume', publish({ ...volume, volume_id: 'vol-x' }, target('x')));
        await rig.refused('FAILED_PRECONDITION', driver, 'Controller.DeleteVolume', { volume_id: volume.volume_id });
      });

      test('publishes the same volume read-only elsewhere', async () => {
        await rig.call(driver, 'Node.NodePublishVolume', { ...publish(volume, target('ro')), readonly: true });
        assert.throws(() => rig.sh('touch "$1/x"', target('ro')), /Read-only/);
        await rig.call(driver, 'Node.NodeUnpublishVolume', { volume_id: volume.volume_id, target_path: target('ro') });
        assert.equal(mountsAt(target('data')), 1);
      });

      test('takes a snapshot while files are written', async () => {
        rig.sh(makeTree, target('data'));
        // The invariant across two files: a is written before b, so at any one time a is b or b + 1.
        const script = 'cd "$1"; mkdir pair; i=0; while :; do i=$((i+1)); echo $i > .n; mv .n pair/a; echo $i > .n; mv .n pair/b; done';
        const writing = rig.background(script, target('data'));
        try {
          await until(() => readCount(target('data'), 'b') > 5);
          const request = { name: 'snap', source_volume_id: volume.volume_id };
          const [one, two] = await Promise.all(
            [1, 2].map(() => rig.call<{ snapshot: Snapshot }>(driver, 'Controller.CreateSnapshot', request)),
          );
          snapshot = one!.snapshot;
          assert.deepEqual(two!.snapshot, snapshot);
          assert.equal(snapshot.ready_to_use, true);
          const seen = readCount(target('data'), 'b');
          await until(() => readCount(target('data'), 'b') > seen); // not left frozen
        } finally {
          writing.kill('SIGKILL');
        }
        rig.sh('rm -rf "$1/pair" "$1/.n"', target('data'));
        await rig.refused('NOT_FOUND', driver, 'Controller.CreateSnapshot', { name: 'other', source_volume_id: 'vol-x' });
      });

      test('a killed driver comes back with everything, and tidies up what it had begun', async () => {
        const place = path.join(rig.stateDir, driver, 'data', 'snapshots');
        const tidy = rig.sh('ls "$1"', place);
        const begun = rig.call(driver, 'Controller.CreateSnapshot', { name: 'later', source_volume_id: volume.volume_id });
        await Promise.all([rig.endDrivers('SIGKILL'), begun.catch(() => undefined)]);
        // What other moments of being killed leave: data without a record, a deletion begun, a record half written.
        rig.sh(orphan[medium], path.join(rig.stateDir, driver, 'data', 'volumes', 'vol-orphan'));
        const records = path.join(rig.stateDir, driver, 'snapshots');
        const doomed = { id: 'snap-doomed', name: 'doomed', mode: 'filesystem', bytes: 1, created: '', volume: 'vol-x', deleting: true };
        writeFileSync(path.join(records, 'snap-doomed.json'), JSON.stringify(doomed));
        writeFileSync(path.join(records, 'snap-half.json.new'), '{');
        await rig.startDrivers();
        assert.deepEqual(
          readdirSync(records).filter((name) => /doomed|half/.test(name)),
          [],
        );
        assert.equal(rig.sh('ls "$1" | grep -c orphan || true', path.join(rig.stateDir, driver, 'data', 'volumes')).trim(), '0');
        const list = await rig.call<{ entries: { snapshot: Snapshot }[] }>(driver, 'Controller.ListSnapshots', {});
        const later = list.entries.filter((entry) => entry.snapshot.snapshot_id !== snapshot.snapshot_id);
        for (const entry of later) await rig.call(driver, 'Controller.DeleteSnapshot', { snapshot_id: entry.snapshot.snapshot_id });
        assert.equal(rig.sh('ls "$1"', place), tidy);
        assert.equal(mountsAt(target('data')), 1);
        rig.sh('touch "$1/thawed"; rm "$1/thawed"', target('data'));
      });

      test('restores the snapshot with everything that a file has', async () => {
        const original = rig.sh(describeTree, target('data'));
        await rig.refused('OUT_OF_RANGE', driver, 'Controller.CreateVolume', {
          ...create('restored', files, 32 * mib),
          ...fromSnapshot(snapshot),
        });
        await rig.refused('NOT_FOUND', driver, 'Controller.CreateVolume', {
          ...create('restored', files),
          ...fromSnapshot({ ...snapshot, snapshot_id: 'snap-x' }),
        });
        const request = { ...create('restored', files, 96 * mib), ...fromSnapshot(snapshot) };
        const { volume: restored } = await rig.call<{ volume: Volume }>(driver, 'Controller.CreateVolume', request);
        assert.equal(restored.content_source?.snapshot?.snapshot_id, snapshot.snapshot_id);
        await rig.call(driver, 'Node.NodePublishVolume', publish(restored, target('restored')));
        const a = readCount(target('restored'), 'a');
        const b = readCount(target('restored'), 'b');
        if (medium !== 'plain') assert.ok(a === b || a === b + 1, `a is ${a}, b is ${b}`);
        rig.sh('rm -rf "$1/pair" "$1/.n"; touch -r "$2" "$1"', target('restored'), target('data'));
        assert.equal(rig.sh(describeTree, target('restored')), original);
      });

      test('clones a volume', async () => {
        const source = { volume_content_source: { volume: { volume_id: volume.volume_id } } };
        const { volume: clone } = await rig.call<{ volume: Volume }>(driver, 'Controller.CreateVolume', {
          ...create('clone', files),
          ...source,
        });
        assert.equal(clone.capacity_bytes, 64 * mib);
        await rig.call(driver, 'Node.NodePublishVolume', publish(clone, target('clone')));
        assert.equal(rig.sh(describeTree, target('clone')), rig.sh(describeTree, target('data')));
        rig.sh('echo changed > "$1/hard"', target('clone'));
        assert.equal(rig.sh('cat "$1/hard"', target('data')), 'one\n');
      });

      test('a full volume is full, and larger after it has grown', { skip: medium === 'plain' && 'directories have no size' }, async () => {
        const fill = 'dd if=/dev/urandom of="$1/fill" bs=1M count="$2" oflag=append conv=notrunc,fsync 2>&1';
        assert.throws(() => rig.sh(fill, target('data'), '80'), { stdout: /No space left|quota exceeded/ });
        const used = await usage(driver, volume, target('data'));
        assert.ok(used.total <= 64 * mib && used.available < 8 * mib, JSON.stringify(used));
        const range = { capacity_range: { required_bytes: 256 * mib } };
        const grown = await rig.call<{ capacity_bytes: number; node_expansion_required: boolean }>(
          driver,
          'Controller.ControllerExpandVolume',
          {
            volume_id: volume.volume_id,
            ...range,
          },
        );
        assert.equal(grown.capacity_bytes, 256 * mib);
        const request = { volume_id: volume.volume_id, volume_path: target('data'), ...range };
        await rig.call(driver, 'Node.NodeExpandVolume', request).catch(async (error: ServiceError) => {
          // Where the machine may not grow a mounted ext4, it grows at the next mount.
          assert.equal(`${medium} ${status[error.code]}`, 'ext4 FAILED_PRECONDITION');
          await rig.call(driver, 'Node.NodeUnpublishVolume', { volume_id: volume.volume_id, target_path: target('data') });
          await rig.call(driver, 'Node.NodePublishVolume', publish(volume, target('data')));
        });
        rig.sh(fill, target('data'), '80');
        assert.ok((await usage(driver, volume, target('data'))).total > 200 * mib);
      });

      test('lists in pages', async () => {
        const all = await rig.call<{ entries: { volume: Volume }[] }>(driver, 'Controller.ListVolumes', {});
        assert.equal(all.entries.length, 3);
        const seen: string[] = [];
        let token = '';
        do {
          const page = await rig.call<{ entries: { volume: Volume }[]; next_token: string }>(driver, 'Controller.ListVolumes', {
            max_entries: 2,
            starting_token: token,
          });
          seen.push(...page.entries.map((entry) => entry.volume.volume_id));
          token = page.next_token;
        } while (token !== '');
        assert.deepEqual(
          seen,
          all.entries.map((entry) => entry.volume.volume_id),
        );
        await rig.refused('ABORTED', driver, 'Controller.ListVolumes', { starting_token: 'nonsense' });
        const none = await rig.call<{ entries: object[] }>(driver, 'Controller.ListSnapshots', { snapshot_id: 'snap-x' });
        assert.equal(none.entries.length, 0);
      });

      test('deletes everything, twice is once, and nothing is left', async () => {
        const { entries } = await rig.call<{ entries: { volume: Volume }[] }>(driver, 'Controller.ListVolumes', {});
        const names = ['data', 'restored', 'clone'];
        const ids = entries.map((entry) => entry.volume.volume_id);
        for (const volume_id of ids) {
          for (const name of names) await rig.call(driver, 'Node.NodeUnpublishVolume', { volume_id, target_path: target(name) });
        }
        for (const volume_id of [...ids, ...ids]) await rig.call(driver, 'Controller.DeleteVolume', { volume_id });
        const snapshots = await rig.call<{ entries: { snapshot: Snapshot }[] }>(driver, 'Controller.ListSnapshots', {});
        assert.equal(snapshots.entries.length, 1); // they outlive their volumes
        for (const entry of [...snapshots.entries, ...snapshots.entries]) {
          await rig.call(driver, 'Controller.DeleteSnapshot', { snapshot_id: entry.snapshot.snapshot_id });
        }
        for (const kind of ['volumes', 'snapshots']) {
          assert.equal(rig.sh('ls -A "$1"', path.join(rig.stateDir, driver, 'data', kind)), '');
          assert.deepEqual(readdirSync(path.join(rig.stateDir, driver, kind)), []);
        }
        assert.equal(rig.sh('grep -c "$1" /proc/self/mountinfo || true', rig.kubelet).trim(), '0');
        const left = (await listLoops()).filter((loop) => loop.file.startsWith(rig.stateDir) && !loop.file.endsWith('/pool.img'));
        assert.deepEqual(left, []);
      });
    });
  }
});

async function usage(driver: string, volume: Volume, volume_path: string): Promise<{ total: number; available: number; used: number }> {
  const request = { volume_id: volume.volume_id, volume_path };
  const stats = await rig.call<{ usage: { unit: string; total: number; available: number; used: number }[] }>(
    driver,
    'Node.NodeGetVolumeStats',
    request,
  );
  return stats.usage.find((one) => one.unit === 'BYTES')!;
}

function mountsAt(target: string): number {
  return Number(rig.sh('grep -c " $1 " /proc/self/mountinfo || true', target));
}

function readCount(target: string, file: string): number {
  return Number(rig.sh('cat "$1/pair/$2" 2>/dev/null || echo 0', target, file));
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
