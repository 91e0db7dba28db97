/** The optional peer `jose`. In a file of its own, so that the published types of everything else do without it. */
import { EventsSdkError } from '../../errors.ts';

/** Loads the optional peer `jose`; says how to get it where it is missing. */
export async function importJose(
  load: () => Promise<typeof import('jose')> = () => import('jose'),
): Promise<typeof import('jose')> {
  try {
    return await load();
  } catch (cause) {
    throw new EventsSdkError(
      'INVALID_ARGUMENT',
      'The contract server signs tokens with the package "jose". Install it: npm install jose',
      { cause },
    );
  }
}
