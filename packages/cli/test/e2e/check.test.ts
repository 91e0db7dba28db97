/** `sync status --check` against a real server: the verdict is about the present sign-in. */
import { expect, test } from 'vitest';

import { makeWorld, startServer } from './world.ts';

test('says whether events can leave: signed in, refused, gone (FR-037)', async () => {
  const [world, server] = [makeWorld(), await startServer()];
  const check = async () => {
    const { code, stdout } = await world.specKitty(['sync', 'status', '--check', '--json']);
    return { code, check: (JSON.parse(stdout) as { readonly check: unknown }).check };
  };

  expect(await check()).toEqual({ code: 4, check: null });
  await world.login(server);
  expect(await check()).toMatchObject({ code: 0, check: { verdict: 'healthy', signed_in: true } });
  server.revokeTokens('access');
  expect(await check()).toMatchObject({ code: 4, check: { verdict: 'unauthorized' } });
  await server.close();
  expect(await check()).toMatchObject({ code: 3, check: { verdict: 'unreachable' } });
}, 30_000);
