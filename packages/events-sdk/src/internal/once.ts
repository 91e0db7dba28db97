/** Work that is done on first use and remembered: what a client opens, it opens once. */

/** A remembered piece of work. */
export interface Once<T> {
  (): Promise<T>;
  /** True from the first call on, unless that has failed or was forgotten. */
  isStarted(): boolean;
  /** The next call does the work again. */
  forget(): void;
}

/** Runs `make` on the first call and again only after it has failed or been forgotten. */
export function once<T>(make: () => Promise<T>): Once<T> {
  let made: Promise<T> | undefined;
  const call = (): Promise<T> => {
    made ??= make().catch((cause: unknown) => {
      made = undefined;
      throw cause;
    });
    return made;
  };
  return Object.assign(call, {
    isStarted: () => made !== undefined,
    forget: () => {
      made = undefined;
    },
  });
}
