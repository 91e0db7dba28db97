/** The home's small files and how they are changed, for the proofs of this folder. */
import { formatCredentials } from '../../src/auth/credentials-format.ts';
import type { Credentials } from '../../src/auth/index.ts';
import { parseServerUrl } from '../../src/auth/server-url.ts';
import { isoWithMicroseconds, readClockFile, writeClockMirror } from '../../src/node/clock-file.ts';
import { setServerUrl } from '../../src/node/config-file.ts';
import { createCredentialsFile } from '../../src/node/credentials-file.ts';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { credentials, NOW, tokenPair } from '../auth/samples.ts';
import type { FileProtocol } from './prove-file.ts';

const HOME = '/home/user/.spec-kitty';
export const CREDENTIALS = `${HOME}/credentials`;
export const CONFIG = `${HOME}/config.toml`;
export const CLOCK = `${HOME}/clock.json`;

const signIn = (number: number): Credentials =>
  credentials({ tokens: tokenPair({ access: `SECRET-access-${number}`, refresh: `SECRET-refresh-${number}` }) });

const textOf = (record: Credentials | null): string | null => (record === null ? null : formatCredentials(record));

/** Sign-in, two renewals, sign-out, sign-in; `before`: a file somebody else wrote is there already. */
export function credentialsProtocol(before: string | null = null): FileProtocol {
  const records = [signIn(1), signIn(2), null, signIn(3)];
  return {
    path: CREDENTIALS,
    contents: [before, ...records.map(textOf)],
    secret: 'SECRET',
    async change({ disk, time, processes }, step) {
      await createCredentialsFile({ path: CREDENTIALS, disk, time, processes }).update(async () => ({
        answer: undefined,
        next: records[step - 1] ?? null,
      }));
    },
  };
}

const configText = (port: number): string =>
  `# mine\n[sync]\nserver_url = "http://localhost:${port}"\ndelivery = "off"\n`;

/** The server's address set three times in a file that says more. */
export const configProtocol: FileProtocol = {
  path: CONFIG,
  contents: [configText(1), configText(2), configText(3), configText(4)],
  async change(world, step) {
    const source = { path: CONFIG, shownAs: 'config.toml', checkServerUrl: parseServerUrl, ...world };
    await setServerUrl(source, `http://localhost:${step + 1}`);
  },
};

const clockText = (value: number): string =>
  JSON.stringify({ value, node_id: 'node', updated_at: isoWithMicroseconds(NOW) }, null, 2);

/** The mirror brought up to the store's clock three times. */
export const clockProtocol: FileProtocol = {
  path: CLOCK,
  contents: [null, clockText(5), clockText(9), clockText(12)],
  change(world, step) {
    writeClockMirror(CLOCK, { value: [0, 5, 9, 12][step] ?? 0, nodeId: 'node', now: NOW }, world);
  },
  judge(text, attempted) {
    const disk = createSimulatedDisk();
    if (text !== null) disk.plant(CLOCK, text);
    const found = readClockFile(CLOCK, disk);
    // The store knows at least what was being mirrored; what the file may not do is to run ahead of it.
    const most = [0, 5, 9, 12][attempted] ?? 0;
    return found?.kind === 'clock' && found.value > most ? `the mirror shows ${found.value}` : undefined;
  },
};
