/**
 * The realtime endpoint (CONTRACT §10): who may open a link, and what travels over all of them. Events go through the
 * intake of the batches, so that a link and a batch can never disagree about one.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

import { MAX_REALTIME_FRAME_BYTES } from '../../contract/limits.ts';
import type { Time } from '../../internal/time.ts';
import type { Account, Accounts } from './accounts.ts';
import type { BatchIntake, BatchOutcome } from './batch.ts';
import type { Boards } from './boards.ts';
import { bearerOf, type Reply } from './http.ts';
import type { LinkFault } from './link-faults.ts';
import type { FrameRecord, RealtimeControls } from './realtime-controls.ts';
import { serveLink, type ServedLink } from './realtime-link.ts';
import type { Tokens } from './tokens.ts';
import type { WireEnvelope } from './validate.ts';

/** The endpoint. */
export interface Realtime extends RealtimeControls {
  /** Accepts an upgrade, or says why not. */
  upgrade(request: IncomingMessage, socket: Socket, head: Buffer): Promise<Reply | undefined>;
  /** Shows stored events to the links of their teams. */
  broadcast(events: readonly WireEnvelope[]): void;
  /** Cuts every link. */
  close(): void;
}

/** The longest log; older records are forgotten first. */
const MAX_RECORDS = 10_000;

/** The endpoint of one server. `onStored` hears of events that came over a link. */
export async function createRealtime(deps: {
  readonly accounts: Accounts;
  readonly tokens: Tokens;
  readonly intake: BatchIntake;
  readonly boards: Boards;
  readonly time: Time;
  readonly onStored: (events: readonly WireEnvelope[]) => void;
}): Promise<Realtime> {
  const { accounts, tokens, intake, boards, time } = deps;
  const { WebSocketServer } = await import('ws');
  const handshake = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    maxPayload: MAX_REALTIME_FRAME_BYTES,
    perMessageDeflate: false,
  });
  const open = new Set<ServedLink>();
  const faults: LinkFault[] = [];
  const frames: FrameRecord[] = [];
  let opened = 0;

  function broadcast(events: readonly WireEnvelope[], sender?: ServedLink): void {
    for (const link of open) {
      if (link === sender || link.account === undefined) continue;
      const teams = accounts.find(link.account.username)?.teams ?? [];
      for (const event of events) if (teams.includes(event.team_slug)) link.show(event);
    }
  }

  function snapshotFor(account: Account): readonly object[] {
    return account.teams.flatMap((team) =>
      boards.board(team).features.flatMap(({ projectUuid, featureSlug, cards }) =>
        cards.map(({ wpId, lane, title }) => ({
          team_slug: team,
          project_uuid: projectUuid,
          feature_slug: featureSlug,
          wp_id: wpId,
          status: lane,
          title,
        })),
      ),
    );
  }

  return {
    async upgrade(request, socket, head) {
      const hasHeader = request.headers.authorization !== undefined;
      const account = await tokens.checkRealtime(bearerOf(request));
      if (hasHeader && account === undefined) {
        const error = 'Realtime token is missing, expired or not valid';
        return { status: 401, body: { error }, headers: { 'www-authenticate': 'Bearer' } };
      }
      handshake.handleUpgrade(request, socket, head, (webSocket) => {
        opened += 1;
        const number = opened;
        const link = serveLink({
          socket: webSocket,
          account,
          fault: faults.shift(),
          time,
          authenticate: tokens.checkRealtime,
          snapshotFor,
          take(event, known): BatchOutcome {
            const outcome = intake.take({ events: [event] }, accounts.find(known.username) ?? known);
            if (outcome.kind === 'ok' && outcome.stored.length > 0) {
              deps.onStored(outcome.stored);
              broadcast(outcome.stored, link);
            }
            return outcome;
          },
          record(frame) {
            frames.push({ link: number, ...frame });
            if (frames.length > MAX_RECORDS) frames.shift();
          },
          onClose() {
            open.delete(link);
          },
        });
        open.add(link);
      });
      return undefined;
    },
    broadcast,
    breakNextLink(fault, times = 1) {
      for (let count = 0; count < times; count += 1) faults.push(fault);
    },
    endLinks(code) {
      for (const link of open) link.end(code);
    },
    freezeLinks() {
      for (const link of open) link.freeze();
    },
    get links() {
      return open.size;
    },
    get frames() {
      return frames.map((frame) => ({ ...frame }));
    },
    close() {
      for (const link of open) link.end();
    },
  };
}
