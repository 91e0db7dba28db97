/** The state file survives whatever happens to it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import {
  deleteState,
  readState,
  STATE_FILE,
  touchState,
  writeState,
} from '../../../src/workflow/orchestrate/state-file.ts';
import type { RunState } from '../../../src/workflow/orchestrate/run-state.ts';
import { START } from './support/random-world.ts';
import { createTestRun } from './support/run.ts';

test('gives back what was written, and nothing where there is no run', async () => {
  const root = createRoot();
  const nothing = await readState(root);
  const state = stateOf('WP01', 'WP02');

  writeState(root, state);

  expect(nothing).toBeUndefined();
  expect(await readState(root)).toEqual({ state });
  expect(readFileSync(join(root, STATE_FILE), 'utf8')).toMatch(/^\{\n {2}"version": 1,\n/);
});

test('torn off at any byte, the file gives way to the state before it, and is never copied over that', async () => {
  const root = createRoot();
  const [before, torn, after] = [stateOf(), { ...stateOf(), completed_event_sent: true }, stateOf('WP01')];
  writeState(root, before);
  writeState(root, torn);
  const whole = readFileSync(join(root, STATE_FILE));
  const backup = readFileSync(join(root, `${STATE_FILE}.bak`));

  // Without its last line break it still says everything.
  for (let length = 0; length < whole.length - 1; length += 1) {
    writeFileSync(join(root, STATE_FILE), whole.subarray(0, length));
    const read = await readState(root);
    expect([length, read?.state, read?.warning]).toEqual([length, before, expect.stringMatching(/is damaged/)]);

    writeState(root, after);
    expect(readFileSync(join(root, `${STATE_FILE}.bak`)).equals(backup)).toBe(true);
    expect(await readState(root)).toEqual({ state: after });
  }
});

test('a torn copy does not matter while the file is whole, and with both torn it says so and can be forgotten', async () => {
  const root = createRoot();
  writeState(root, stateOf());
  writeState(root, stateOf('WP01'));
  const backup = readFileSync(join(root, `${STATE_FILE}.bak`));

  for (let length = 0; length < backup.length - 1; length += 1) {
    writeFileSync(join(root, `${STATE_FILE}.bak`), backup.subarray(0, length));
    expect(await readState(root)).toEqual({ state: stateOf('WP01') });
  }
  writeFileSync(join(root, STATE_FILE), Buffer.from([0xff, 0x00]));
  await expect(readState(root)).rejects.toMatchObject({
    code: 'run-state-damaged',
    kind: 'runtime',
    message: expect.stringContaining(STATE_FILE),
    remedy: expect.stringMatching(/^spec-kitty orchestrate --abort/),
  });
  deleteState(root);
  expect(await readState(root)).toBeUndefined();
});

test('takes the copy when the file itself is gone', async () => {
  const root = createRoot();
  writeState(root, stateOf());
  writeState(root, stateOf('WP01'));

  rmSync(join(root, STATE_FILE));

  expect(await readState(root)).toEqual({ state: stateOf(), warning: expect.stringContaining('is gone') });
});

test('names the first place that is not a state, and does not take an older copy for a newer file', async () => {
  const root = createRoot();
  const state = stateOf('WP01');
  const write = (value: unknown): void => writeFileSync(join(root, STATE_FILE), JSON.stringify(value));

  write({ ...state, work_packages: { WP01: { ...state.work_packages['WP01'], status: 'ready' } } });
  await expect(readState(root)).rejects.toThrow('is damaged (at work_packages.WP01.status)');
  write({ ...state, work_packages: { WP02: state.work_packages['WP01'] } });
  await expect(readState(root)).rejects.toThrow('is damaged (at work_packages.WP02.wp_id)');
  writeState(root, state);
  writeState(root, state);
  write({ version: 2 });
  await expect(readState(root)).rejects.toMatchObject({ code: 'run-state-newer', details: { version: 2 } });
});

test('keeps keys it does not know', async () => {
  const root = createRoot();
  const [wp] = Object.values(stateOf('WP01').work_packages);
  const foreign = { ...stateOf('WP01'), note: 'mine', work_packages: { WP01: { ...wp, colour: 'red' } } };
  writeFileSync(join(root, STATE_FILE), JSON.stringify(foreign));

  const read = await readState(root);
  if (read !== undefined) writeState(root, { ...read.state, status: 'paused' });

  expect(JSON.parse(readFileSync(join(root, STATE_FILE), 'utf8'))).toMatchObject({
    status: 'paused',
    note: 'mine',
    work_packages: { WP01: { colour: 'red' } },
  });
});

test('shows life without being written again', async () => {
  const root = createRoot();
  touchState(root, START);
  writeState(root, stateOf());
  const before = readFileSync(join(root, STATE_FILE));

  touchState(root, START + 90_000);

  expect(readFileSync(join(root, STATE_FILE)).equals(before)).toBe(true);
  expect((await readState(root))?.state.heartbeat_at).toBe('2026-03-02T14:31:30.000Z');
});

test('forgets the run with everything a killed writer left, and nothing else', () => {
  const root = createRoot();
  writeState(root, stateOf());
  writeState(root, stateOf());
  writeFileSync(join(root, `${STATE_FILE}.123.tmp`), 'half');
  writeFileSync(join(root, '.kittify/merge-state.json'), '{}');

  deleteState(root);

  expect(readdirSync(join(root, '.kittify'))).toEqual(['merge-state.json']);
  deleteState(join(root, 'nowhere'));
  expect(existsSync(join(root, 'nowhere'))).toBe(false);
});

function createRoot(): string {
  const root = mkdtempSync(join(tmpdir(), 'run-state-'));
  mkdirSync(join(root, '.kittify'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

function stateOf(...ids: readonly string[]): RunState {
  return createTestRun({ packages: Object.fromEntries(ids.map((id) => [id, []])) }).state;
}
