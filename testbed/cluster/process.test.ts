import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { gone, isAlive, kill, startTimeOf } from './process.ts';

describe('a process', () => {
  it('is alive while a thread of it is, though its first thread is over', async () => {
    // Its first thread ends alone; the other one waits on a pipe that we hold.
    const program = `
import ctypes, os, threading
def wait():
    os.read(0, 1)
threading.Thread(target=wait).start()
print('ready', flush=True)
ctypes.CDLL(None).pthread_exit(None)`;
    const child = spawn('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'ignore'] });
    assert.ok(child.pid !== undefined);
    const ended = once(child, 'exit');
    const id = { pid: child.pid, started: startTimeOf(child.pid) ?? '' };
    try {
      await once(child.stdout, 'data');
      const state = (): string => readFileSync(`/proc/${id.pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
      while (state() !== 'Z') await new Promise((resume) => setTimeout(resume, 5));
      assert.ok(isAlive(id));
    } finally {
      kill(id);
    }
    await gone([id]);
    await ended;
    assert.ok(!isAlive(id));
  });
});
