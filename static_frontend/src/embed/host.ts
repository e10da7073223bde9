/** For pages of other sites (docs/embedding.md): frames of this site become as high as what they show.
 *
 * Built as /static/embed.js. A classic script, so that a page may load it from another origin; in a function, so that
 * it shares no name with the page's own scripts.
 */

(() => {
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) return;
  const site = new URL(script.src).origin;

  const isOurs = (frame: HTMLIFrameElement): boolean => frame.src.startsWith(`${site}/`);
  // To anybody: it says nothing, and a frame that has not loaded yet has no origin to name.
  const ask = (frame: HTMLIFrameElement): void => frame.contentWindow?.postMessage("azionelab-height", "*");

  window.addEventListener("message", (event) => {
    const height = (event.data as { azionelabHeight?: unknown } | null)?.azionelabHeight;
    if (event.origin !== site || typeof height !== "number" || !(height > 0)) return;
    for (const frame of document.querySelectorAll("iframe"))
      if (frame.contentWindow === event.source && isOurs(frame)) frame.style.height = `${height}px`;
  });
  // Loads do not bubble.
  const loaded = (event: Event): void => {
    if (event.target instanceof HTMLIFrameElement && isOurs(event.target)) ask(event.target);
  };
  document.addEventListener("load", loaded, true);
  for (const frame of document.querySelectorAll("iframe")) if (isOurs(frame)) ask(frame);
})();
