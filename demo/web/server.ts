/**
 * The web front of the demo's shop: a small, ordinary application that keeps everything it knows in PostgreSQL and on its volumes.
 * It is what the migration moves; nothing in here knows about Tranship.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readdir } from 'node:fs/promises';
import postgres from 'postgres';
import { readNodes, readSettings } from './cluster.ts';

const sql = postgres({
  host: process.env['DATABASE_HOST'] ?? 'localhost',
  database: process.env['DATABASE_NAME'] ?? 'shop',
  username: process.env['DATABASE_USER'] ?? 'shop',
  password: process.env['DATABASE_PASSWORD'] ?? '',
  max: 4,
  connect_timeout: 3,
  // The default waits up to 20 s between two attempts; a shop should open as soon as its database does.
  backoff: () => 0.2,
  onnotice: () => {},
});
const uploads = process.env['UPLOADS'] ?? '/uploads';

type Answer = { status: number; body: unknown };

async function answer(request: IncomingMessage): Promise<Answer> {
  const url = new URL(request.url ?? '/', 'http://shop');
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /':
      return { status: 200, body: await overview() };
    case 'GET /health':
      await sql`select 1`;
      return { status: 200, body: { ok: true } };
    case 'GET /checksum':
      return {
        status: 200,
        body: (await sql`select count(*)::int as rows, md5(string_agg(md5(p::text), '' order by id)) as checksum from products p`)[0],
      };
    case 'GET /uploads':
      return { status: 200, body: await listUploads() };
    case 'GET /settings':
      return { status: 200, body: await readSettings(process.env['SETTINGS'] ?? 'settings') };
    case 'GET /nodes':
      return { status: 200, body: { nodes: await readNodes() } };
    case 'POST /orders':
      return await takeOrder(url.searchParams);
    default:
      return { status: 404, body: { error: 'there is no such page' } };
  }
}

/**
 * The answer 201 is the promise that the order is kept: it is sent after the commit. Sending the same number again is safe, so a
 * customer who got no answer may repeat it.
 */
async function takeOrder(query: URLSearchParams): Promise<Answer> {
  const customer = query.get('customer') ?? '';
  const number = Number(query.get('number'));
  if (customer === '' || !Number.isSafeInteger(number) || number < 1)
    return { status: 400, body: { error: 'customer and number are needed' } };
  await sql`insert into orders (customer, number, product) values (${customer}, ${number}, ${((number * 7919) % 1000) + 1})
            on conflict (customer, number) do nothing`;
  return { status: 201, body: { customer, number } };
}

async function overview(): Promise<unknown> {
  const [counts] = await sql`select (select count(*)::int from products) as products, (select count(*)::int from orders) as orders,
                                    (select coalesce(max(n), 0)::int from ticks) as ticks`;
  return {
    shop: process.env['SHOP_NAME'] ?? 'shop',
    database: process.env['DATABASE_HOST'],
    ...counts,
    uploads: (await listUploads()).length,
  };
}

/** Names are bytes, not text: those that are not UTF-8 are shown in hexadecimal. */
async function listUploads(): Promise<string[]> {
  const entries = await readdir(Buffer.from(uploads), { recursive: false, encoding: 'buffer' });
  return entries
    .map((name) => (Buffer.from(name.toString('utf8')).equals(name) ? name.toString('utf8') : `hex:${name.toString('hex')}`))
    .toSorted();
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const result = await answer(request).catch((error: unknown): Answer => ({
    status: 503,
    body: { error: error instanceof Error ? error.message : String(error) },
  }));
  response.writeHead(result.status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(result.body)}\n`);
}

const server = createServer((request, response) => void serve(request, response));
server.listen(Number(process.env['PORT'] ?? 8080), () => console.log('the shop is open'));

// As PID 1 nothing ends us unless we do: finish what was begun, then go.
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.once(name, () => {
    server.close(() => void sql.end({ timeout: 2 }).then(() => process.exit(0)));
    server.closeIdleConnections();
    setTimeout(() => process.exit(0), 3000).unref();
  });
}
