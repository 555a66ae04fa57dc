# Runs inside a pod of the postgres image: prints one JSON line per table (rows, checksum over all rows), then the limits.
# With a directory in $COPY_FROM it starts PostgreSQL on a copy of those files, so that the original is not touched.
set -eu
if [ -n "${COPY_FROM:-}" ]; then
  cp -a "$COPY_FROM" /copy/pgdata
  rm -f /copy/pgdata/postmaster.pid
  chmod 700 /copy/pgdata
  postgres -D /copy/pgdata -c listen_addresses= -c unix_socket_directories=/tmp -c fsync=off > /tmp/log 2>&1 &
  server=$!
  export PGHOST=/tmp
  until pg_isready -q; do
    kill -0 $server 2> /dev/null || { cat /tmp/log >&2; exit 1; }
    sleep 0.1
  done
fi
psql -qAt -v ON_ERROR_STOP=1 << SQL
set timezone = 'UTC';
select format(
  'select json_build_object(''table'', %L, ''rows'', count(*), ''checksum'', md5(coalesce(string_agg(h, '''' order by h), ''''))) from (select md5(t::text) h from %I t where %s) s',
  tablename, tablename,
  case tablename when 'ticks' then 'n <= $TICKS' when 'orders' then 'number <= $ORDERS' else 'true' end)
from pg_tables where schemaname = 'public' order by 1 \gexec
select json_build_object(
  'ticks', (select coalesce(max(n), 0) from ticks), 'ticksCounted', (select count(*) from ticks where n between 1 and $TICKS),
  'orders', (select coalesce(max(number), 0) from orders), 'ordersCounted', (select count(*) from orders where customer = 'demo' and number between 1 and $ACKNOWLEDGED),
  'bytes', pg_database_size(current_database()));
SQL
if [ -n "${COPY_FROM:-}" ]; then kill -INT $server; wait $server || true; fi
