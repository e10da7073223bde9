/** Buttons that copy the value of a field, where the browser lets a page do that. */

export function offerCopies(page: Document): void {
  // Absent without https.
  if (!("clipboard" in navigator)) return;
  for (const button of page.querySelectorAll<HTMLButtonElement>("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => void copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const field = document.getElementById(button.dataset["copy"] ?? "") as HTMLInputElement;
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = button.dataset["done"] ?? "";
  } catch {
    // Not allowed: what is selected can be copied by hand.
    field.select();
  }
}
