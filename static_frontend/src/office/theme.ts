/** The preview of the look follows what is typed. Without scripts a press of "Preview" shows it. */

const PAUSE = 600; // milliseconds after the last key

const preview = document.querySelector<HTMLButtonElement>("[data-preview]");
let waiting: ReturnType<typeof setTimeout> | undefined;
preview?.form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => preview.form?.requestSubmit(preview), PAUSE);
});
