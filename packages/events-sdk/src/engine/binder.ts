/**
 * The engine's gate keeper: fills in what waiting events lack and holds back what must not leave, and
 * persists it before a byte is sent (DESIGN §4.4).
 */
import type { Session } from '../auth/port.ts';
import { bindRow, type ProjectFacts } from '../queue/binding.ts';
import type { EventStore, StoredEvent, StoreReader } from '../storage/port.ts';
import { projectTeamKey } from '../storage/values.ts';

/** What a project's own files say now. */
export interface ProjectLookup {
  /** Identity and settings of the project at `projectRoot`; null when it has none (yet) or is gone. */
  (projectRoot: string): Promise<ProjectFacts | null>;
}

export interface Binder {
  /** Looks at every event that cannot leave as it is. */
  bindWaiting(): Promise<void>;
  /** Checks the very events about to leave. True when one of them changed: take the batch again. */
  bindBatch(batch: readonly StoredEvent[]): Promise<boolean>;
}

/** A binder for one pass of one session: each project's files are read once. */
export function createBinder(deps: {
  readonly store: EventStore;
  readonly session: Session;
  readonly lookUpProject: ProjectLookup;
}): Binder {
  const { store, session, lookUpProject } = deps;
  const onDisk = new Map<string, ProjectFacts | null>();

  async function readProjects(rows: readonly StoredEvent[]): Promise<void> {
    for (const { projectRoot } of rows) {
      if (projectRoot !== null && !onDisk.has(projectRoot)) onDisk.set(projectRoot, await lookUpProject(projectRoot));
    }
  }

  async function bind(rows: readonly StoredEvent[]): Promise<boolean> {
    await readProjects(rows);
    const patches = await store.read((reader) => {
      const known = remembering(reader);
      return rows.flatMap((row) => {
        const found = row.projectRoot === null ? null : (onDisk.get(row.projectRoot) ?? null);
        const patch = bindRow(row, projectOf(row, found, known), session);
        return patch === undefined ? [] : [{ eventId: row.eventId, patch }];
      });
    });
    if (patches.length === 0) return false;
    await store.transact((tx) => {
      for (const { eventId, patch } of patches) tx.update(eventId, patch);
    });
    return true;
  }

  return {
    async bindWaiting() {
      const rows = await store.read((reader) => [
        ...reader.events({ states: ['held'] }),
        ...reader.events({ states: ['queued'], teamSlug: null }),
        ...reader.events({ states: ['queued'], teamSlug: 'local' }),
      ]);
      await bind(rows);
    },
    bindBatch: bind,
  };
}

/** Asks for each value once: the events of a batch are of one project or a few. Good for one transaction. */
function remembering(reader: StoreReader): Pick<StoreReader, 'value'> {
  const known = new Map<string, string | undefined>();
  return {
    value(key) {
      if (!known.has(key)) known.set(key, reader.value(key));
      return known.get(key);
    },
  };
}

/** A row's project: its own uuid if it has one, with what the files at its root (`found`) and earlier deliveries say about it. */
export function projectOf(
  row: StoredEvent,
  found: ProjectFacts | null,
  reader: Pick<StoreReader, 'value'>,
): ProjectFacts | null {
  const uuid = row.projectUuid ?? found?.uuid;
  if (uuid === undefined) return null;
  const sameProject = found?.uuid === uuid ? found : null;
  return {
    uuid,
    slug: sameProject?.slug ?? null,
    teamSlug: sameProject?.teamSlug ?? reader.value(projectTeamKey(uuid)) ?? null,
    // The place the event came from may withhold it even if its identity has changed since.
    syncEnabled: found?.syncEnabled ?? true,
  };
}
