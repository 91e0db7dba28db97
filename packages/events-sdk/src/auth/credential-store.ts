/**
 * The port behind which a sign-in is kept. One record per home, shared by all its processes; every change is
 * read → work → write under one lock, so that of many processes with one rotating token only one spends it.
 */

/** The two tokens of a sign-in. Always replaced together: the server rotates both. */
export interface TokenPair {
  readonly access: string;
  readonly refresh: string;
  /** Milliseconds since the Unix epoch, by this machine's clock. */
  readonly accessExpiresAt: number;
  readonly refreshExpiresAt: number;
}

/** A sign-in as it is kept. */
export interface Credentials {
  /** Normalised address of the server that issued the tokens; they go nowhere else. */
  readonly server: string;
  readonly username: string;
  readonly teamSlug: string | null;
  /** Null once the server has refused them: who and which team is still known, only a login helps. */
  readonly tokens: TokenPair | null;
}

/** What `update` does with the record, and what it answers. */
export interface CredentialChange<T> {
  readonly answer: T;
  /** The record to keep from now on; null deletes it; absent leaves it as it is. */
  readonly next?: Credentials | null;
}

/** Keeps one sign-in. */
export interface CredentialStore {
  /** The record, without waiting for anyone; null when there is none or it cannot be read. */
  load(): Promise<Credentials | null>;
  /**
   * Runs `work` alone among all processes of the home, also while it awaits the network, and applies its change
   * all or nothing. Rejects with STORAGE_BUSY when another process holds on too long, with FILE_UNUSABLE when
   * the change cannot be written.
   */
  update<T>(work: (current: Credentials | null) => Promise<CredentialChange<T>>): Promise<T>;
}

/** A store that forgets with the process: for hosts without a disk, and for tests. */
export function createMemoryCredentialStore(initial: Credentials | null = null): CredentialStore {
  let record = initial;
  let turn: Promise<unknown> = Promise.resolve();
  return {
    load: () => Promise.resolve(record),
    update(work) {
      const result = turn.then(async () => {
        const change = await work(record);
        if (change.next !== undefined) record = change.next;
        return change.answer;
      });
      turn = result.catch(() => {});
      return result;
    },
  };
}
