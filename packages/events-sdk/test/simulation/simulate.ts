/**
 * One simulation: a home, two to six processes, two servers, and weather, all from one seed. In the end the weather clears,
 * every account signs in once more and delivers, and the evidence is judged.
 */
import { readCounter, VALUE } from '../../src/storage/values.ts';
import type { OverflowPolicy } from '../../src/queue/offline-queue.ts';
import { findBreaches, type Emission } from './evidence.ts';
import { createHome, type StoreKind } from './home.ts';
import { mistakesOf, type Mistake } from './mistakes.ts';
import { createProcess, type SimulatedProcess } from './process.ts';
import { createProgram, LOCK_SLACK_MS, type Program } from './program.ts';
import { ACCOUNTS, createServers } from './server.ts';
import { createWorld, START_MS, type World } from './world.ts';

export type { StoreKind } from './home.ts';

export interface Simulated {
  readonly seed: number;
  readonly store: StoreKind;
  readonly breaches: readonly string[];
  readonly hash: string;
  readonly tail: readonly string[];
  readonly kinds: ReadonlyMap<string, number>;
  readonly emissions: number;
  readonly delivered: number;
  readonly kills: number;
}

export interface SimulateOptions {
  readonly mistake?: Mistake | undefined;
  readonly store?: StoreKind | undefined;
}

const YEAR_MS = 365 * 86_400_000;
/** Longer than any lease, Retry-After or request. */
const PATIENCE_MS = 3_700_000;
/** A simulation that takes longer hangs. Of virtual time. */
const LONGEST_MS = 86_400_000;

export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Simulated> {
  const world = createWorld(seed);
  const { chance, time, note } = world;
  // The lock's pauses, which are not injected; there is nobody else in this process.
  Math.random = chance.random;
  const mistakes = mistakesOf(options.mistake);
  const kind: StoreKind = options.store ?? (chance.once(20) ? 'sqljs' : 'memory');
  const home = createHome(world, kind, mistakes);
  const servers = createServers({
    world,
    now: () => START_MS + Math.floor(time.now()) + world.skewMs,
    maxEvents: chance.oneOf([2, 5, 1_000]),
  });
  if (!chance.once(4)) {
    const { server, username, team } = chance.oneOf(ACCOUNTS);
    const answer = servers.obtain(server, username);
    if (answer.kind === 'tokens') home.plantSignIn({ server, username, teamSlug: team, tokens: answer.tokens });
  }
  const overflow: OverflowPolicy = chance.once(6) ? 'evict-oldest' : 'refuse-new';
  const cap = chance.oneOf([4, 12, 1_000, 1_000]);
  const manners = { failsEvery: chance.oneOf([0, 0, 9, 23, 60]), slowMs: chance.oneOf([0, 50, 400]) };
  const emissions: Emission[] = [];
  const living = new Set<SimulatedProcess>();
  let pids = 0;
  note(`${kind} store, cap ${cap} ${overflow}, disk ${JSON.stringify(manners)}`);

  function start(isCalm = false): { readonly process: SimulatedProcess; readonly program: Program; leave(): void } {
    const process = createProcess(world, (pids += 1), isCalm ? { failsEvery: 0, slowMs: 0 } : manners);
    const own = home.enter(process);
    living.add(process);
    const leave = (): void => {
      living.delete(process);
      own.leave();
    };
    void process.died.then(leave);
    note(`p${process.pid} started`);
    const slackMs = kind === 'sqljs' ? LOCK_SLACK_MS : 0;
    const program = createProgram({ world, process, home: own, servers, mistakes, emissions, cap, overflow, slackMs });
    return { process, program, leave };
  }

  async function life(restarts: number): Promise<void> {
    const { process, program, leave } = start();
    if (chance.once(3)) process.killAtCall(chance.between(1, 60));
    if (chance.once(4)) time.after(chance.between(1, 30_000), () => killed(world, process));
    if (chance.once(6)) await program.signIn(chance.between(0, ACCOUNTS.length - 1));
    await program.run(chance.between(1, 6));
    leave();
    if (process.isDead && restarts > 0) {
      world.sometimes('started again');
      await life(restarts - 1);
    }
  }

  async function heal(): Promise<void> {
    world.isClear = true;
    note('the weather clears');
    await time.sleep(PATIENCE_MS);
    for (const account of [...ACCOUNTS.keys(), ...ACCOUNTS.keys()]) {
      const { process, program, leave } = start(true);
      await program.signIn(account);
      const report = await program.within('last sync', program.client.syncNow());
      if (report?.stoppedBy !== 'drained') world.breach('not drained', `${report?.stoppedBy}: ${report?.message}`);
      await program.end();
      process.kill();
      leave();
      await time.sleep(1_000);
    }
  }

  const weather = changeWeather(world, servers.takeBack);
  let isOver = false;
  const story = Promise.all(Array.from({ length: chance.between(2, 6) }, () => life(2)))
    .then(heal)
    .then(
      () => (isOver = true),
      (cause: unknown) => {
        isOver = true;
        world.breach('error', String(cause instanceof Error ? cause.stack : cause));
      },
    );
  const end = await time.runUntil(() => isOver, LONGEST_MS);
  weather();
  if (end === 'over') await story;
  else world.breach('hang', `the simulation ended with ${end}`);
  // What is still on its way to a server arrives, and changes nothing.
  await time.runUntil(() => false, PATIENCE_MS);

  const breaches = [...world.breaches];
  if (end === 'over') {
    const last = start(true);
    let evidence: Parameters<typeof findBreaches>[0] | undefined;
    void readHome().then((found) => (evidence = found));
    await time.runUntil(() => evidence !== undefined, PATIENCE_MS);
    breaches.push(...(evidence === undefined ? ['hang: the store cannot be read'] : findBreaches(evidence)));
    last.leave();
  }
  for (const breach of breaches) note(breach);
  return {
    seed,
    store: kind,
    breaches,
    hash: world.hash(),
    tail: world.tail(),
    kinds: world.kinds,
    emissions: emissions.reduce((sum, { labels }) => sum + labels.length, 0),
    delivered: servers.stored.length,
    kills: [...world.kinds].reduce((sum, [name, count]) => sum + (name.startsWith('killed') ? count : 0), 0),
  };

  async function readHome(): Promise<Parameters<typeof findBreaches>[0]> {
    const reading = home.enter(createProcess(world, (pids += 1), { failsEvery: 0, slowMs: 0 }));
    const store = await reading.openStore();
    const rows = await store.read((reader) => reader.events());
    const dropped = await store.read((reader) => readCounter(reader, VALUE.dropped));
    const spilled = reading.spill
      .list()
      .flatMap(({ events }) => events.map(({ envelope }) => labelIn(envelope.payload)));
    return {
      emissions,
      stored: servers.stored,
      rows,
      spilled,
      dropped,
      evicts: overflow === 'evict-oldest',
      wasRestamped: world.kinds.has('server clock refused'),
    };
  }
}

function labelIn(payload: unknown): string {
  // Every event of a simulation is a `WPStatusChanged`.
  return (payload as { readonly changed_by: string }).changed_by;
}

function killed(world: World, process: SimulatedProcess): void {
  if (process.isDead) return;
  world.sometimes('killed at a moment');
  process.kill();
}

/** Partitions, jumps of the wall clock, tokens taken back; ends with the answer, or when it is clear. */
function changeWeather(world: World, takeBack: (all: boolean) => void): () => void {
  const { chance, time, note, sometimes } = world;
  let cancel = (): void => {};
  const change = (): void => {
    if (world.isClear) return;
    switch (chance.between(1, 6)) {
      case 1:
        world.partitionedUntil = time.now() + chance.between(500, chance.once(3) ? 90_000 : 8_000);
        sometimes('partition');
        note('partition');
        break;
      case 2:
        world.skewMs += chance.oneOf([-3, -1, 1, 2, 4]) * chance.oneOf([YEAR_MS, YEAR_MS, 3_600_000, 900]);
        sometimes('clock jumped');
        note(`wall clock is off by ${world.skewMs}`);
        break;
      case 3:
        takeBack(chance.once(3));
        sometimes('tokens taken back');
        note('tokens taken back');
        break;
      default:
        break;
    }
    cancel = time.after(chance.between(500, 30_000), change);
  };
  cancel = time.after(chance.between(0, 3_000), change);
  return () => cancel();
}
