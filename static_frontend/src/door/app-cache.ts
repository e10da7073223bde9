/** Registers the service worker that caches the app, and switches to new versions. */

import { readsCodesItself } from "./camera/detector.ts";

const WORKER = "/checkin/sw.js";
const SCOPE = "/checkin/";
/** Milliseconds to wait for a worker to take over. */
const TAKES = 3_000;

/** Register the service worker. A new version that is waiting is started at once. */
export async function keepShell(): Promise<void> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers) return;
  const kept = await workers.getRegistration(SCOPE);
  if (kept?.waiting && workers.controller && (await takeOver(kept.waiting))) location.reload();
  const registered = await workers.register(WORKER, { scope: SCOPE, updateViaCache: "none" });
  if (await readsCodesItself()) return;
  // The WebAssembly reader is a megabyte, and needed offline.
  await workers.ready;
  registered.active?.postMessage("keep-reader");
}

/** Load the server's current version. Queued actions are in IndexedDB and stay. */
export async function renew(): Promise<void> {
  const registered = await navigator.serviceWorker?.getRegistration(SCOPE);
  await registered?.update().catch(() => undefined);
  const fresh = registered?.installing ?? registered?.waiting;
  if (fresh) await takeOver(fresh);
  location.reload();
}

/** Let another worker take over this page; resolves to whether it did. */
async function takeOver(worker: ServiceWorker): Promise<boolean> {
  const taken = new Promise<boolean>((resolve) => {
    navigator.serviceWorker.addEventListener("controllerchange", () => resolve(true), {
      once: true,
    });
  });
  if (worker.state !== "installed") {
    await new Promise<void>((resolve) => {
      worker.addEventListener("statechange", () => resolve(), { once: true });
    });
  }
  worker.postMessage("take-over");
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), TAKES));
  return await Promise.race([taken, late]);
}
