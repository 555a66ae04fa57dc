import assert from 'node:assert/strict';
import { test } from 'node:test';
import { missing, platformOf } from './lock.ts';

test('a package of another platform that is asked for and not in the lock file is added with its platform', () => {
  const lock = {
    packages: {
      'node_modules/tool': {
        version: '1.0.0',
        dev: true,
        optionalDependencies: { '@tool/linux-x64-gnu': '1.0.0', '@tool/win32-arm64-msvc': '1.0.0' },
      },
      'node_modules/@tool/linux-x64-gnu': { version: '1.0.0' },
    },
  };
  assert.deepEqual(missing(lock), {
    'node_modules/@tool/win32-arm64-msvc': { version: '1.0.0', os: ['win32'], cpu: ['arm64'], dev: true, optional: true },
  });
});

test('a name tells system, processor and C library', () => {
  assert.deepEqual(platformOf('@oxfmt/binding-linux-arm64-musl'), { os: ['linux'], cpu: ['arm64'], libc: ['musl'] });
  assert.deepEqual(platformOf('@oxlint/binding-linux-arm-gnueabihf'), { os: ['linux'], cpu: ['arm'], libc: ['glibc'] });
  assert.deepEqual(platformOf('@oxlint/binding-android-arm-eabi'), { os: ['android'], cpu: ['arm'] });
  assert.deepEqual(platformOf('@oxlint-tsgolint/darwin-x64'), { os: ['darwin'], cpu: ['x64'] });
  assert.equal(platformOf('fsevents'), undefined);
});
