/** Lets the page open while its server is away: keeps the page's own files, and nothing else. */

// A worker's `self` is one of several kinds; this one is registered as a service worker.
const worker = globalThis as unknown as ServiceWorkerGlobalScope;

/** The page's files and what they were built from; the build fills them in. */
declare const SHELL: { readonly version: string; readonly files: readonly string[] };

worker.addEventListener('install', (event) => {
  event.waitUntil(keepShell());
});
worker.addEventListener('activate', (event) => {
  event.waitUntil(forgetOthers());
});
worker.addEventListener('fetch', (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== location.origin || !SHELL.files.includes(pathname)) return;
  event.respondWith(answer(event.request));
});

async function keepShell(): Promise<void> {
  const cache = await caches.open(SHELL.version);
  await cache.addAll([...SHELL.files]);
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== SHELL.version).map((name) => caches.delete(name)));
  // From the first visit on: who loses the network a moment later has the page all the same.
  await worker.clients.claim();
}

/** From the cache, so that all files of one page are of one build; a new build comes with the next worker. */
async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(SHELL.version);
  return (await cache.match(request)) ?? fetch(request);
}
