/**
 * One simulated process from its start to its end or its death: a client over the process's ports, put together as the Node
 * client puts it together, and a few acts drawn by chance. It writes down what it was told.
 */
import { createTokenManager } from '../../src/auth/token-manager.ts';
import { createClient, type Client } from '../../src/client.ts';
import type { SpecKittyEvents } from '../../src/contract/spec-kitty-events.ts';
import { specKittyEvents } from '../../src/contract/spec-kitty-events.ts';
import type { EmitOutcome } from '../../src/emit-outcome.ts';
import { wpStatusChanged } from '../../src/events/builders.ts';
import { createUlidFactory } from '../../src/id/ulid.ts';
import { once } from '../../src/internal/once.ts';
import type { OverflowPolicy } from '../../src/queue/offline-queue.ts';
import type { ProjectFacts } from '../../src/queue/binding.ts';
import { projectTeamKey } from '../../src/storage/values.ts';
import type { Emission } from './evidence.ts';
import { LOCK_WAIT_MS, NODE_ID, type HomeOfProcess } from './home.ts';
import type { Mistakes } from './mistakes.ts';
import { createNetwork } from './network.ts';
import type { SimulatedProcess } from './process.ts';
import { ACCOUNTS, type Servers } from './server.ts';
import type { World } from './world.ts';

export interface ProgramParts {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly home: HomeOfProcess;
  readonly servers: Servers;
  readonly mistakes: Mistakes;
  readonly emissions: Emission[];
  readonly cap: number;
  readonly overflow: OverflowPolicy;
  /** What an emission may take beside the disk's own delays. */
  readonly slackMs: number;
}

/** The longest any act may take. A sync may try each event alone, each against a silent server. */
const ACT_MS = 3_600_000;

/** Where the projects are and what their files say; the one at `/new` has none yet in the beginning. */
export function projectAt(world: World, root: string): ProjectFacts | null {
  if (root === '/new' && world.time.now() < 20_000) return null;
  const number = ['/a', '/b', '/new', '/closed'].indexOf(root);
  return {
    uuid: `3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d1${number}`,
    slug: root.slice(1),
    teamSlug: null,
    syncEnabled: root !== '/closed',
  };
}

export interface Program {
  readonly client: Client<SpecKittyEvents>;
  /** Some acts by chance, then the end. Resolves when it has ended or died. */
  run(acts: number): Promise<void>;
  signIn(account: number): Promise<void>;
  /** `work`, which must end in time unless the process dies; undefined: it died. */
  within<T>(what: string, work: Promise<T>, longestMs?: number): Promise<T | undefined>;
  end(): Promise<void>;
}

export function createProgram(parts: ProgramParts): Program {
  const { world, process, home, servers, mistakes, emissions, slackMs } = parts;
  const { chance, note, sometimes, breach } = world;
  const { pid, time } = process;
  const network = createNetwork(world, servers, process);
  const manager = createTokenManager({ store: home.credentials, endpoint: network.endpoint, time });
  const openStore = once(() => home.openStore());
  let leases = 0;
  const client = createClient({
    events: specKittyEvents,
    openStore,
    openTransport: once(async () => mistakes.transport(network.transport, openStore)),
    openRealtime: async () => network.realtime,
    session: manager,
    async facts(store, root = '/a') {
      const project = projectAt(world, root);
      const team =
        store === null || project === null ? null : await store.read((tx) => tx.value(projectTeamKey(project.uuid)));
      return {
        nodeId: store === null ? '' : NODE_ID,
        session: await manager.current(),
        project: project === null ? null : { ...project, teamSlug: team ?? null },
        projectRoot: root,
        gitBranch: null,
        headCommitSha: null,
        repoSlug: null,
      };
    },
    spill: home.spill,
    lookUpProject: async (root) => projectAt(world, root),
    newUlid: createUlidFactory({ time, random: chance.random }),
    lease: {
      owner: { pid, startedAt: 'a', host: 'here', role: 'simulated' },
      newToken: () => `lease-${pid}-${(leases += 1)}`,
      isGone: home.isGone,
    },
    cap: parts.cap,
    overflow: parts.overflow,
    time,
  });

  async function within<T>(what: string, work: Promise<T>, longestMs = ACT_MS): Promise<T | undefined> {
    const isLate = Symbol('late');
    const { promise: late, resolve } = Promise.withResolvers<typeof isLate>();
    const cancel = world.time.after(longestMs, () => resolve(isLate));
    try {
      const answer = await Promise.race([work, late, process.died]);
      if (answer !== isLate) return process.isDead ? undefined : (answer as T);
      breach('hang', `${what} of p${pid} did not end within ${longestMs} ms`);
      process.kill();
      return undefined;
    } catch (cause) {
      // What a person would be told; emission and sync never reject.
      note(`p${pid} ${what}: ${String(cause)}`);
      return undefined;
    } finally {
      cancel();
    }
  }

  async function emit(): Promise<void> {
    const count = chance.oneOf([1, 1, 1, 2, 3]);
    const number = emissions.length;
    const labels = Array.from({ length: count }, (_, at) => `e${number}.${at}${chance.once(25) ? ' poison' : ''}`);
    const root = chance.oneOf(['/a', '/a', '/b', '/new', '/closed']);
    const drafts = labels.map((label) =>
      wpStatusChanged({
        wpId: `WP0${chance.between(1, 3)}`,
        previousStatus: 'planned',
        newStatus: 'doing',
        changedBy: label,
      }),
    );
    const emission: Emission = { number, pid, labels, root, beganAt: (order += 1), outcomes: undefined, endedAt: 0 };
    emissions.push(emission);
    const [before, diskBefore] = [world.time.now(), process.diskMs];
    if (mistakes.waitsForDelivery) await client.syncNow();
    const [first] = drafts;
    const outcomes = await within(
      'emit',
      count === 1 && first !== undefined
        ? client
            .emit(first, { projectRoot: root })
            .then((outcome): readonly EmitOutcome<SpecKittyEvents>[] => [outcome])
        : client.emitAll(drafts, { projectRoot: root }),
    );
    if (outcomes === undefined) return;
    emission.outcomes = outcomes;
    emission.endedAt = order += 1;
    const [outcome] = outcomes;
    const what =
      outcome === undefined ? 'nothing' : 'reason' in outcome ? `${outcome.status} ${outcome.reason}` : outcome.status;
    sometimes(`emit ${what}`);
    note(`p${pid} emit ${labels.join(' ')} at ${root}: ${what}`);
    const tookMs = world.time.now() - before;
    if (tookMs > process.diskMs - diskBefore + slackMs) breach('slow emit', `${labels[0]} took ${tookMs} ms`);
  }

  async function signIn(account: number): Promise<void> {
    const { server, username } = ACCOUNTS[account] ?? ACCOUNTS[0];
    const session = await within('login', manager.login({ server, username, password: 'a password' }));
    if (session !== undefined) sometimes('login');
  }

  async function sync(): Promise<void> {
    const control = new AbortController();
    const deadlineMs = chance.oneOf([300, 5_000, 60_000, null]);
    const cancel = deadlineMs === null ? () => {} : time.after(deadlineMs, () => control.abort());
    const waitForOthersMs = chance.oneOf([0, 2_000, 15_000]);
    const report = await within('sync', client.syncNow({ signal: control.signal, waitForOthersMs }));
    cancel();
    if (report === undefined) return;
    sometimes(`sync ${report.stoppedBy}`);
    note(`p${pid} sync: ${report.stoppedBy}, ${report.sent} sent`);
  }

  async function deliver(): Promise<void> {
    const background = await within('background', client.background({ random: chance.random }));
    if (background === undefined) return;
    const started = await within('start', background.start());
    sometimes(`background ${started?.kind ?? 'not started'}`);
    for (let acts = chance.between(0, 3); acts > 0 && !process.isDead; acts -= 1) {
      await pause(chance.between(100, 20_000));
      await emit();
      background.wake();
    }
    await within('stop', background.stop({ deadlineMs: chance.oneOf([0, 5_000]) }), 120_000);
  }

  const pause = (ms: number): Promise<unknown> => Promise.race([world.time.sleep(ms), process.died]);

  async function act(): Promise<void> {
    switch (chance.between(1, 20)) {
      case 1:
        if (!chance.once(2)) return emit();
        await within('logout', manager.logout());
        return sometimes('logout');
      case 2:
        return signIn(chance.between(0, ACCOUNTS.length - 1));
      case 3:
      case 4:
      case 5:
      case 6:
        return sync();
      case 7:
        await within('flush', client.flush({ deadlineMs: 2_000 }), 60_000);
        return sometimes('flush');
      case 8:
      case 9:
      case 10:
        return deliver();
      default:
        return emit();
    }
  }

  async function end(): Promise<void> {
    await within('close', client.close({ deadlineMs: chance.oneOf([0, 0, 1_000]) }), 120_000);
    if (process.isDead) return;
    note(`p${pid} ended`);
  }

  return {
    client,
    signIn,
    within,
    end,
    async run(acts) {
      for (let left = acts; left > 0 && !process.isDead; left -= 1) {
        await pause(chance.between(0, chance.once(4) ? 10_000 : 300));
        if (!process.isDead) await act();
      }
      if (!process.isDead) await end();
    },
  };
}

/** Orders beginnings and ends of emissions; only differences count, so all simulations of a process share it. */
let order = 0;
export const LOCK_SLACK_MS = 5 * LOCK_WAIT_MS;
