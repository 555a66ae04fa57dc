/** The command lines of the others. Their defaults, but for what a run beside others needs: own caches, no update checks, no progress bars. */
import { join } from 'node:path';
import type { Program } from './peers.ts';
import { command, type Place, type Tool } from './tool.ts';

/** Protects nothing: the repositories are gone when the run ends. */
const password = 'bench';

/** `compression` undefined: as restic comes (auto). */
export function restic(program: Program, compression?: 'off'): Tool {
  return {
    id: compression === undefined ? 'restic' : `restic-${compression}`,
    label: compression === undefined ? `restic ${program.version}` : 'restic, no compression',
    variant: compression !== undefined,
    async open({ scratch, store, source, target }, running) {
      const env = {
        RESTIC_PASSWORD: password,
        RESTIC_CACHE_DIR: join(scratch, 'cache'),
        TMPDIR: scratch, // packs are put together there: on the same disk as all else
        RESTIC_REPOSITORY: store.kind === 'directory' ? store.path : `s3:${store.endpoint}/${store.bucket}/${store.prefix}`,
        ...(store.kind === 'directory' ? {} : { AWS_ACCESS_KEY_ID: store.accessKeyId, AWS_SECRET_ACCESS_KEY: store.secretAccessKey }),
        ...(compression === undefined ? {} : { RESTIC_COMPRESSION: compression }),
      };
      const run = (...args: string[]) => command(program.path, args, { env, cwd: source });
      await run('init', '--quiet')(running);
      return {
        // Relative, so that a restore lands in the target itself.
        backup: () => run('backup', '--quiet', '.'),
        restore: () => run('restore', '--quiet', 'latest', '--target', target),
        apply: () => run('restore', '--quiet', 'latest', '--target', target, '--overwrite', 'if-changed', '--delete'),
      };
    },
  };
}

/** `compression` undefined: as kopia comes (none). */
export function kopia(program: Program, compression?: 'zstd-fastest'): Tool {
  return {
    id: compression === undefined ? 'kopia' : 'kopia-zstd',
    label: compression === undefined ? `kopia ${program.version}` : 'kopia, zstd-fastest',
    variant: compression !== undefined,
    async open({ scratch, store, source, target }: Place, running) {
      const env = { KOPIA_PASSWORD: password, KOPIA_CHECK_FOR_UPDATES: 'false', HOME: scratch };
      const own = [`--config-file=${join(scratch, 'config')}`, `--log-dir=${join(scratch, 'log')}`, '--no-progress'];
      const run = (...args: string[]) => command(program.path, [...args, ...own], { env });
      const where =
        store.kind === 'directory'
          ? ['filesystem', `--path=${store.path}`]
          : [
              's3',
              `--bucket=${store.bucket}`,
              `--prefix=${store.prefix}/`,
              `--endpoint=${new URL(store.endpoint).host}`,
              `--region=${store.region}`,
              '--disable-tls',
              `--access-key=${store.accessKeyId}`,
              `--secret-access-key=${store.secretAccessKey}`,
            ];
      await run('repository', 'create', ...where, `--cache-directory=${join(scratch, 'cache')}`)(running);
      if (compression !== undefined) await run('policy', 'set', '--global', `--compression=${compression}`)(running);
      return {
        backup: () => run('snapshot', 'create', source),
        // A snapshot is also named by its source: the newest one.
        restore: () => run('snapshot', 'restore', source, target),
        apply: () => run('snapshot', 'restore', source, target, '--skip-existing', '--delete-extra'),
      };
    },
  };
}

/** The plain copy: "backup" and "restore" are both one copy of a file. */
export function cp(program: Program): Tool {
  return {
    id: 'cp',
    label: `cp (coreutils ${program.version})`,
    async open({ store, source, target }) {
      const copy = (from: string, to: string) => command(program.path, ['-a', '--reflink=never', `${from}/.`, to]);
      const kept = store.kind === 'directory' ? store.path : target;
      return { backup: () => copy(source, kept), restore: () => copy(kept, target) };
    },
  };
}

export function tar(program: Program): Tool {
  return {
    id: 'tar',
    label: `tar ${program.version}`,
    async open({ store, source, target }) {
      const archive = join(store.kind === 'directory' ? store.path : target, 'archive.tar');
      return {
        backup: () => command(program.path, ['-cf', archive, '-C', source, '.']),
        restore: () => command(program.path, ['-xf', archive, '-C', target]),
      };
    },
  };
}

/** From the source into the target, without a store between. */
export function rsync(program: Program): Tool {
  return {
    id: 'rsync',
    label: `rsync ${program.version.split('+')[0] ?? ''}`,
    async open({ source, target }) {
      const args = ['-aHAX', '--inplace', '--no-whole-file', '--delete', `${source}/`, `${target}/`];
      return { apply: () => command(program.path, args, { env: program.env }) };
    },
  };
}
