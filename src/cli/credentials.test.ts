import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { s3Credentials } from './credentials.ts';

const home = mkdtempSync(join(tmpdir(), 'credentials-'));
after(() => rmSync(home, { recursive: true, force: true }));
const file = join(home, 'keys');
writeFileSync(
  file,
  '# mine\n[default]\naws_access_key_id = AID\naws_secret_access_key=SEC=RET\n\n[profile other]\naws_access_key_id = OID\naws_secret_access_key = OSEC\naws_session_token = OTOK\n',
);

test('the named file wins over the variables', () => {
  assert.deepEqual(s3Credentials(file, { AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'y' }), {
    accessKeyId: 'AID',
    secretAccessKey: 'SEC=RET',
  });
});

test('AWS_PROFILE chooses the profile', () => {
  assert.deepEqual(s3Credentials(file, { AWS_PROFILE: 'other' }), { accessKeyId: 'OID', secretAccessKey: 'OSEC', sessionToken: 'OTOK' });
});

test('half a pair of variables names the missing half', () => {
  assert.throws(() => s3Credentials(undefined, { HOME: home, AWS_ACCESS_KEY_ID: 'x' }), /AWS_SECRET_ACCESS_KEY is not set/);
});

test('nothing found is undefined, so that the machine is asked', () => {
  assert.equal(s3Credentials(undefined, { HOME: home }), undefined);
});

test('a named file that is missing or empty is an error that shows nothing of its content', () => {
  assert.throws(() => s3Credentials(join(home, 'none'), {}), { code: 'NotFound' });
  assert.throws(
    () => s3Credentials(file, { AWS_PROFILE: 'third' }),
    (error: Error) => error.message.includes('[third]') && !error.message.includes('SEC'),
  );
});
