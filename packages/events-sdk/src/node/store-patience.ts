/**
 * How long a process waits for a store that others hold: up to a limit, and not again once that was in vain. A command
 * has several steps at the store; without this it would wait in each of them.
 */

export interface StorePatience {
  /** The longest the next wait may last, in milliseconds. */
  leftMs(): number;
  /** The store was had: the next wait may last its time again. */
  worked(): void;
  /** It was waited for in vain. */
  failed(): void;
  /** From here on this process is about the store itself and waits at least this long. */
  lengthen(ms: number): void;
}

/** Patience of `limitMs` milliseconds. */
export function createStorePatience(limitMs: number): StorePatience {
  let limit = limitMs;
  let isLost = false;
  return {
    leftMs: () => (isLost ? 0 : limit),
    worked() {
      isLost = false;
    },
    failed() {
      isLost = true;
    },
    lengthen(ms) {
      limit = Math.max(limit, ms);
      isLost = false;
    },
  };
}
