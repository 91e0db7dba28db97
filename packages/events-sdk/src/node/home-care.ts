/** What a person asks of a home beside recording and delivering: why something waits, where it goes, what is wrong. */
import type { AuthStatus } from '../auth/token-manager.ts';
import type { Client } from '../client.ts';
import type { EventMap } from '../contract/event-map.ts';
import type { EventExplanation } from '../engine/explain.ts';
import type { LeaseOwner } from '../engine/lease.ts';
import type { DeliveryMode } from '../identity/project-identity.ts';
import type { Time } from '../internal/time.ts';
import type { AdoptAnswer } from '../queue/release.ts';
import type { EventStore } from '../storage/port.ts';
import type { LoadedConfig } from './config-file.ts';
import type { DiagnoseDeps, Finding } from './diagnose.ts';
import type { Home } from './home.ts';
import type { ProjectReader } from './project-facts.ts';

export interface HomeCare {
  /** Why each waiting or refused event has not left, in sending order. Rejects with STORAGE_*. */
  explain(): Promise<readonly EventExplanation[]>;
  /** Gives the events of the project here, held for another team, to the team signed in. Rejects with STORAGE_*. */
  adopt(): Promise<AdoptAnswer | { readonly kind: 'no-project' }>;
  /** Moves waiting events from one address of a server to another; answers how many. Rejects with INVALID_SERVER_URL, STORAGE_*. */
  retarget(move: { readonly from: string; readonly to: string }): Promise<number>;
  /** Looks the home over and asks the server once. Never rejects. */
  diagnose(): Promise<readonly Finding[]>;
}

export interface HomeCareDeps extends Pick<DiagnoseDeps, 'status' | 'probe'> {
  readonly home: Home;
  readonly time: Time;
  readonly store: () => Promise<EventStore>;
  readonly client: () => Promise<Pick<Client<EventMap>, 'adopt' | 'retarget'>>;
  readonly auth: () => Promise<AuthStatus>;
  readonly projects: ProjectReader;
  readonly isGone: (owner: LeaseOwner) => boolean;
  /** How events of the project here leave. */
  readonly delivery: () => Promise<DeliveryMode>;
  /** Settings and what is wrong with them. */
  readonly config: () => Promise<LoadedConfig>;
}

/** Loads what a request needs when it is made: a command that records asks none of this. */
export function createHomeCare(deps: HomeCareDeps): HomeCare {
  const { projects, time } = deps;
  return {
    async explain() {
      const { explainEvents } = await import('../engine/explain.ts');
      return explainEvents({
        store: await deps.store(),
        auth: await deps.auth(),
        lookUpProject: (root) => projects.lookUp(root),
        isGone: deps.isGone,
        isAutomatic: (await deps.delivery()) !== 'off',
        now: time.now(),
      });
    },
    async adopt() {
      const here = await projects.here();
      const project = here === null ? null : await projects.lookUp(here.root);
      if (project === null) return { kind: 'no-project' };
      return (await deps.client()).adopt(project);
    },
    retarget: async (move) => (await deps.client()).retarget(move),
    async diagnose() {
      const { diagnoseHome } = await import('./diagnose.ts');
      const { status, probe, home } = deps;
      return diagnoseHome({
        home,
        config: await deps.config(),
        auth: await deps.auth(),
        status,
        probe,
        now: time.now(),
      });
    },
  };
}
