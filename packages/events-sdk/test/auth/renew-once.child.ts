/** One process of a home: asks for a token, as a delivery would, and says what it got. */
import { createTokenManager } from '../../src/auth/index.ts';
import { systemTime } from '../../src/internal/time.ts';
import { createCredentialsFile } from '../../src/node/credentials-file.ts';
import { createHttpTokenEndpoint } from '../../src/transport/http/index.ts';

const [, , path = '', rejected = ''] = process.argv;
const auth = createTokenManager({
  store: createCredentialsFile({ path, time: systemTime }),
  endpoint: createHttpTokenEndpoint({ time: systemTime }),
  time: systemTime,
});
console.log('asking');
const answer = await (rejected === '' ? auth.accessToken() : auth.refresh(rejected));
console.log(
  JSON.stringify(answer.kind === 'token' ? { kind: 'token', accessToken: answer.accessToken } : { kind: answer.kind }),
);
