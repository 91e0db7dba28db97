/**
 * Many processes on one home, all of them ready before the first one emits. `SPEC_KITTY_STORM_EMITS` changes how many
 * events each of the 32 emits.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { makeWorld, MOVE, readQueue, type World } from '../node/world.ts';
import { judge, type Known } from './judge.ts';

const PROCESSES = 32;
const EMITS = Number(process.env['SPEC_KITTY_STORM_EMITS'] ?? 100);

interface Contender {
  readonly ready: Promise<void>;
  go(): void;
  readonly ended: Promise<{ readonly lines: readonly string[]; readonly failure: string | undefined }>;
}

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  test(
    `${driver}: of ${PROCESSES} processes that emit ${EMITS} events each at once nothing is lost and clocks are distinct (EC-5, SC-009, FR-006)`,
    { timeout: 300_000 },
    async () => {
      const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
      const contenders = Array.from({ length: PROCESSES }, () => startContender(world, EMITS));
      await Promise.all(contenders.map(({ ready }) => ready));
      const startedAt = performance.now();

      for (const contender of contenders) contender.go();
      const ends = await Promise.all(contenders.map(({ ended }) => ended));

      const seconds = (performance.now() - startedAt) / 1000;
      const acks = ends.map(({ lines }) =>
        lines.filter((line) => line.startsWith('ack ')).map((line) => line.split(' ')),
      );
      const longest = Math.max(...acks.flat().map((words) => Number(words[4])));
      process.stdout.write(
        `${driver}: ${PROCESSES} × ${EMITS} in ${seconds.toFixed(1)} s, longest single emit ${longest.toFixed(0)} ms, opening included\n`,
      );
      expect(ends.flatMap(({ failure }) => failure ?? [])).toEqual([]);
      const dropped = ends.flatMap(({ lines }) => lines.filter((line) => line.startsWith('dropped ')));
      expect(dropped).toEqual([]);
      const acknowledged = acks.flat().map(toKnown);
      // A quiet one more: whatever a process under pressure only set aside, the next one takes in.
      const last = world.open().client;
      expect((await last.emit(MOVE)).status).toBe('held');
      await last.close();
      const { rows, integrity } = readQueue(world.home);
      // Whatever the rows are, the server would have them: nothing is asked of the queue itself here.
      expect(judge({ acknowledged, server: rows, queue: [] })).toEqual([]);
      expect(acknowledged).toHaveLength(PROCESSES * EMITS);
      expect(integrity).toBe('ok');
      for (const own of acks) {
        const clocks = own.map(toKnown).flatMap(({ clock }) => clock ?? []);
        expect(clocks).toEqual(clocks.toSorted((a, b) => a - b));
      }
      expect(rows.map(({ clock }) => clock)).toEqual(
        Array.from({ length: acknowledged.length + 1 }, (_, at) => at + 1),
      );
    },
  );
}

function startContender(world: World, emits: number): Contender {
  const script = fileURLToPath(new URL('./fixtures/contender.child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, String(emits)], { cwd: world.project, env: world.env, stdio: 'pipe' });
  let out = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return {
    ready: once(child.stdout, 'data').then(() => undefined),
    go: () => void child.stdin.write('go\n'),
    ended: once(child, 'close').then(([code]) => ({
      lines: out.split('\n').slice(0, -1),
      failure: code === 0 && stderr === '' ? undefined : `ended with ${String(code)}: ${stderr}`,
    })),
  };
}

function toKnown([, id, clock, node]: readonly string[]): Known {
  return { id: id ?? '', clock: clock === '-' ? null : Number(clock), node: node === '-' ? null : (node ?? null) };
}
