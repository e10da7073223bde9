/** Service worker: caches the door app, so that it starts and runs offline.
 *
 * azionelab/checkin/pages/app_views.py lists the files of this build (SHELL) and loads this script. Each build has
 * a cache of its own: a running page keeps the files it started with, and the next start uses the new ones.
 */

/// <reference lib="webworker" />

export {};

interface Shell {
  readonly version: string;
  readonly page: string;
  /** Files without which the app does not start. */
  readonly files: readonly string[];
  /** The QR reader for browsers without one. */
  readonly later: readonly string[];
}

interface DoorWorker extends ServiceWorkerGlobalScope {
  readonly SHELL: Shell;
}

const worker = self as unknown as DoorWorker;
const PREFIX = "azionelab-door-";
const { version, page, files, later } = worker.SHELL;
const CACHE = PREFIX + version;
/** Milliseconds to wait for the page in another language than the cached one. */
const PATIENCE = 3_000;

worker.addEventListener("install", (event) => event.waitUntil(install()));

worker.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([forgetOldBuilds(), worker.clients.claim()]));
});

worker.addEventListener("message", (event) => {
  if (event.data === "take-over") event.waitUntil(worker.skipWaiting());
  if (event.data === "keep-reader") event.waitUntil(keep(later));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== worker.location.origin) return;
  if (request.mode === "navigate") {
    // The page is cached once, in the phone's language and without an invitation.
    if (address.pathname !== page) return;
    const isKept = !address.searchParams.has("lang");
    event.respondWith(isKept ? newestPage(request) : fromServer(request));
  } else if (files.includes(address.pathname) || address.pathname.startsWith("/static/assets/")) {
    event.respondWith(fromCache(address.pathname, request));
  }
});

async function install(): Promise<void> {
  await keep([page, ...files, ...((await hasReader()) ? later : [])]);
}

/** Whether an older cache has the reader: then this phone needs it, perhaps offline. */
async function hasReader(): Promise<boolean> {
  for (const name of await oldBuilds()) {
    const kept = await (await caches.open(name)).keys();
    if (kept.some(({ url }) => url.endsWith(".wasm"))) return true;
  }
  return false;
}

/** The page of the newest build, even if its worker is still waiting: Chromium activates a worker only after the
 * old one has been idle for half a minute, and the app's polling keeps it busy.
 */
async function newestPage(request: Request): Promise<Response> {
  for (const name of (await caches.keys()).filter((name) => name.startsWith(PREFIX)).reverse()) {
    // addAll is atomic: if the page is there, all files of the build are.
    const kept = await (await caches.open(name)).match(page);
    if (kept) return kept;
  }
  return await fetch(request);
}

async function keep(addresses: readonly string[]): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(addresses);
}

/** A file of this build, or of an older one that a running page still uses. */
async function fromCache(address: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(address)) ?? (await caches.match(address)) ?? (await fetch(request));
}

/** The page in the chosen language; offline the cached one. */
async function fromServer(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request.url, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) return answer;
  } catch {
    // Offline: use the cached page.
  }
  return await newestPage(request);
}

/** Delete older builds but the latest of them: a page in another tab may still use it. */
async function forgetOldBuilds(): Promise<void> {
  const names = await oldBuilds();
  await Promise.all(names.slice(0, -1).map(async (name) => await caches.delete(name)));
}

async function oldBuilds(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
}
