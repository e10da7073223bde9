/** Inside a frame on another site: tells the page around it, if the operator listed its origin, how high this page is. */

const origins = (document.body.dataset["origins"] ?? "").split(" ");
let around: string | undefined;

function tell(): void {
  if (around === undefined) return;
  const azionelabHeight = Math.ceil(document.body.getBoundingClientRect().height);
  window.parent.postMessage({ azionelabHeight }, around);
}

window.addEventListener("message", (event) => {
  if (event.source !== window.parent || event.data !== "azionelab-height" || !origins.includes(event.origin)) return;
  around = event.origin;
  tell();
});
new ResizeObserver(tell).observe(document.body);

export {};
