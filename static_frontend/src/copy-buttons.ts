/** Buttons that copy a field's value to the clipboard, where the browser allows it. */

export function enableCopyButtons(page: Document): void {
  // navigator.clipboard is missing without HTTPS.
  if (!("clipboard" in navigator)) return;
  for (const button of page.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const field = document.getElementById(button.dataset["copy"] ?? "") as HTMLInputElement | HTMLTextAreaElement;
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset["done"] ?? "";
  } catch {
    // Permission denied: select the text, to be copied by hand.
    field.select();
  }
}
