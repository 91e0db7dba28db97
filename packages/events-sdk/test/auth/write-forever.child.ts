/** Writes one sign-in after the other, saying so after each, until it is killed. */
import { systemTime } from '../../src/internal/time.ts';
import { createCredentialsFile } from '../../src/node/credentials-file.ts';
import { credentials, tokenPair } from './samples.ts';

const store = createCredentialsFile({ path: process.argv[2] ?? '', time: systemTime });
for (let generation = 1; ; generation += 1) {
  const next = credentials({
    username: `generation-${generation}`,
    tokens: tokenPair({ access: `access-${generation}` }),
  });
  await store.update(() => Promise.resolve({ next, answer: undefined }));
  process.stdout.write('.');
}
