/** The page: takes readings, signs in, and shows what waits and how the link is. */
import { describeLinkReason, type LinkState, type SyncReport } from '@spec-kitty/events-sdk';

import { createPageClient } from './client.ts';
import { createDelivery } from './delivery.ts';

const LINK: Readonly<Record<LinkState, string>> = {
  connected: '[Connected]',
  reconnecting: '[Reconnecting]',
  offline: '[Offline]',
  'offline-batch': '[Offline - Batch Mode]',
};
const LOOK_EVERY_MS = 250;

const page = createPageClient('field-readings');
const { client, signIn } = page;
const deliver = createDelivery(page, { onReport, onFailure });
let taken = 0;
let delivered = 0;

/** An element of index.html. */
function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element "${id}".`);
  return found;
}

function input(id: string): HTMLInputElement {
  const found = element(id);
  if (!(found instanceof HTMLInputElement)) throw new Error(`"${id}" is no input.`);
  return found;
}

function say(id: string, text: string): void {
  element(id).textContent = text;
}

async function takeReadings(count: number): Promise<void> {
  const station = input('station').value;
  for (let index = 0; index < count; index += 1) {
    const outcome = await client.emit({ type: 'ReadingTaken', payload: { station, celsius: 20 + (index % 10) } });
    if (outcome.status === 'dropped') return say('message', `Not recorded: ${outcome.reason}.`);
    taken += 1;
    say('taken', String(taken));
  }
}

async function show(): Promise<void> {
  const status = await client.status();
  say('waiting', String(status.queued + status.held));
  say('refused', String(status.parked));
  say('link', LINK[status.link.state]);
  say('why', describeLinkReason(status.link.reason ?? '') ?? '');
  say('who', (await signIn.current())?.username ?? 'nobody');
}

function onReport({ sent, rejected, message }: SyncReport): void {
  delivered += sent;
  say('delivered', String(delivered));
  const refused = rejected.length === 0 ? '' : `The server refused ${rejected.length}. `;
  say('message', `${refused}${message ?? ''}`);
}

function onFailure(error: unknown): void {
  say('message', error instanceof Error ? error.message : 'That did not work.');
}

function onSubmit(id: string, act: () => Promise<void>): void {
  element(id).addEventListener('submit', (event) => {
    event.preventDefault();
    act().catch(onFailure);
  });
}

onSubmit('readings', async () => {
  // Asks the browser not to throw the queue away when its disk runs low. It may say no.
  void navigator.storage.persist();
  await takeReadings(input('count').valueAsNumber);
});
onSubmit('sign-in', async () => {
  await signIn.login({
    server: location.origin,
    username: input('username').value,
    password: input('password').value,
  });
  await deliverIfSignedIn();
});

async function look(): Promise<void> {
  await show().catch(onFailure);
  setTimeout(() => void look(), LOOK_EVERY_MS);
}

/** Before the first sign-in there is nowhere to deliver to. Another tab's is told by the browser. */
async function deliverIfSignedIn(): Promise<void> {
  if ((await signIn.current()) !== null) deliver();
}

addEventListener('storage', () => void deliverIfSignedIn());
void deliverIfSignedIn();
void look();
navigator.serviceWorker.register('/service-worker.js').catch(() => {
  say('message', 'This page will not open while its server is away.');
});
