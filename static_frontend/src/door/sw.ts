/** Keeps the door app on the phone, so that it starts and runs without a network.
 *
 * azionelab/checkin/pages/views.py says what belongs to this build (SHELL) and loads this script. A new build
 * gets a cache of its own beside the one in use: a page that runs goes on with the files it began with,
 * and the new ones are for the next start.
 */

/// <reference lib="webworker" />

export {};

interface Shell {
  readonly version: string;
  readonly page: string;
  /** Without these it does not start. */
  readonly files: readonly string[];
  /** The reader of codes, for browsers that have none. */
  readonly later: readonly string[];
}

interface DoorWorker extends ServiceWorkerGlobalScope {
  readonly SHELL: Shell;
}

const worker = self as unknown as DoorWorker;
const PREFIX = "azionelab-door-";
const { version, page, files, later } = worker.SHELL;
const CACHE = PREFIX + version;
/** Milliseconds to wait for a page that is kept in another language, at most. */
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
    // The page is kept once, in the language of the phone, and without an invitation behind it.
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

/** Whether this phone needed the reader before: then it will again, and perhaps without a network. */
async function hasReader(): Promise<boolean> {
  for (const name of await oldBuilds()) {
    const kept = await (await caches.open(name)).keys();
    if (kept.some(({ url }) => url.endsWith(".wasm"))) return true;
  }
  return false;
}

/** Of the build that was fetched last, though its worker may still wait: Chromium's does until this one has
 * rested for half a minute, and a page that asks the server all the time lets it have no rest.
 */
async function newestPage(request: Request): Promise<Response> {
  for (const name of (await caches.keys()).filter((name) => name.startsWith(PREFIX)).reverse()) {
    // It is there when all of its build's files are.
    const kept = await (await caches.open(name)).match(page);
    if (kept) return kept;
  }
  return await fetch(request);
}

async function keep(addresses: readonly string[]): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(addresses);
}

/** This build's file, or that of an older one which a running page still needs. */
async function fromCache(address: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(address)) ?? (await caches.match(address)) ?? (await fetch(request));
}

/** The page in the language that was chosen; without a network as it is kept. */
async function fromServer(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request.url, { signal: AbortSignal.timeout(PATIENCE) });
    if (answer.ok) return answer;
  } catch {
    // Nor is there a door without its page.
  }
  return await newestPage(request);
}

/** Of older builds the last one stays, for a page in another tab that began with it. */
async function forgetOldBuilds(): Promise<void> {
  const names = await oldBuilds();
  await Promise.all(names.slice(0, -1).map(async (name) => await caches.delete(name)));
}

async function oldBuilds(): Promise<string[]> {
  return (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
}
