/** The app without a network: its service worker, and how a new version takes the old one's place. */

import { readsCodesItself } from "./camera/detector.ts";

const WORKER = "/checkin/sw.js";
const SCOPE = "/checkin/";
/** Milliseconds that a worker needs to take over, at most. */
const TAKES = 3_000;

/** Keep the app on this phone. A version that was fetched meanwhile is started now, before anything else. */
export async function keepShell(): Promise<void> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers) return;
  const kept = await workers.getRegistration(SCOPE);
  if (kept?.waiting && workers.controller && (await takeOver(kept.waiting))) location.reload();
  const registered = await workers.register(WORKER, { scope: SCOPE, updateViaCache: "none" });
  if (await readsCodesItself()) return;
  // A megabyte that must be there when the network is not.
  await workers.ready;
  registered.active?.postMessage("keep-reader");
}

/** Load the version that the server has now. What waits to be sent is in the database and stays. */
export async function renew(): Promise<void> {
  const registered = await navigator.serviceWorker?.getRegistration(SCOPE);
  await registered?.update().catch(() => undefined);
  const fresh = registered?.installing ?? registered?.waiting;
  if (fresh) await takeOver(fresh);
  location.reload();
}

/** Let another worker serve this page; whether it does. */
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
