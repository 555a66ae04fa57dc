/** PostgreSQL as users know it from the official image: the same variables, but everything as uid 999 and on a read-only root. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TranshipError } from '../../src/errors.ts';
import type { Work } from '../pieces/index.ts';
import { imagePackages, postgresPackages } from './packages.ts';
import { image, layer } from './oci.ts';
import { addBusybox } from './small.ts';
import { addAccounts, addDirectory, addFile, addFrom, newRoot, type Tree } from './tree.ts';

const uid = 999;
/** Nobody reads these in a container; LLVM is left out, so its parts of PostgreSQL are dead weight. */
const unneeded =
  /^usr\/share\/(doc|locale|man|lintian|bug|bash-completion|apport|perl5|gcc|gdb|info)\/|\/bitcode\/|llvmjit|\/gconv\/|^(var|run)\/|^usr\/lib\/(systemd|tmpfiles\.d|sysusers\.d)\/|^usr\/bin\/|^usr\/sbin\/|^etc\//;

/** Runs as uid 999 from the start: there is no root part that could hand over the data directory. */
const entrypoint = `#!/bin/sh
set -eu
if [ "\${1:-}" != postgres ]; then exec "$@"; fi
user=\${POSTGRES_USER:-postgres}
db=\${POSTGRES_DB:-$user}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  # Made aside and renamed: a container that is killed meanwhile leaves nothing that looks like a database. A mount point cannot be renamed.
  new=$PGDATA.new
  if [ -e "$PGDATA" ]; then new=$PGDATA; else rm -rf "$new"; fi
  host=trust
  if [ -n "\${POSTGRES_PASSWORD_FILE:-}" ]; then POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE"); fi
  init() { initdb -D "$new" -U "$user" --locale=C --encoding=UTF8 --auth-local=trust --auth-host="$host" "$@"; }
  if [ -n "\${POSTGRES_PASSWORD:-}" ]; then
    host=scram-sha-256
    (umask 077; printf '%s\\n' "$POSTGRES_PASSWORD" > /tmp/.password)
    init --pwfile=/tmp/.password
    rm /tmp/.password
  else
    init
  fi
  echo "host all all all $host" >> "$new/pg_hba.conf"
  if [ "$db" != postgres ]; then
    printf 'CREATE DATABASE "%s"\\n' "$db" | postgres --single -j -D "$new" postgres > /dev/null
  fi
  if [ "$new" != "$PGDATA" ]; then mv "$new" "$PGDATA"; fi
fi
unset POSTGRES_PASSWORD
# fsGroup gives the group rights to everything when the volume is mounted again, and PostgreSQL refuses to start on such a directory.
chmod 700 "$PGDATA"
exec "$@" -c listen_addresses='*' -c unix_socket_directories=/tmp -c jit=off
`;

export async function postgres(ref: string, work: Work): Promise<string> {
  const [server, base] = [await postgresPackages(work), await imagePackages(work)];
  const [major] = await readdir(join(server.root, 'usr/lib/postgresql'));
  if (major === undefined) throw new TranshipError('Internal', 'The package of PostgreSQL has no server in it.');
  if (!ref.endsWith(`:${major}`)) work.onProgress(`${ref} holds PostgreSQL ${major}, which is what this system's packages offer`);
  const programs = `usr/lib/postgresql/${major}/bin`;
  const fill = async (): Promise<Tree> => {
    const tree = newRoot();
    addAccounts(tree, [{ name: 'postgres', id: uid, home: '/var/lib/postgresql' }]);
    await addFrom(tree, server.root, (path) => !unneeded.test(path));
    await addBusybox(tree, base.root);
    addDirectory(tree, 'var/lib/postgresql', 0o755, uid);
    addDirectory(tree, 'var/lib/postgresql/data', 0o755, uid);
    addFile(tree, 'usr/local/bin/docker-entrypoint.sh', entrypoint, 0o755);
    return tree;
  };
  const inputs = JSON.stringify([server.versions, base.versions['busybox-static']]);
  const env = {
    PATH: `/usr/local/bin:/${programs}:/usr/sbin:/usr/bin`,
    PGDATA: '/var/lib/postgresql/data/pgdata', // below the mount point: that belongs to root, and initdb must own its directory
    PGHOST: '/tmp',
    LANG: 'C.UTF-8',
  };
  const config = { entrypoint: ['docker-entrypoint.sh'], command: ['postgres'], user: `${uid}:${uid}`, env };
  return image('postgres', ref, [await layer('postgres', inputs, fill, work)], config, work);
}
