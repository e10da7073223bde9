/** Strings in localStorage, which outlive the session's data in IndexedDB. */

export function storeItem(name: string, words: string): void {
  try {
    if (words) localStorage.setItem(name, words);
    else localStorage.removeItem(name);
  } catch {
    // No storage: the value lasts while the page is open.
  }
}

export function readItem(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}
