/** Words that this phone keeps beside its evening, which is wiped when that is over. */

export function storeItem(name: string, words: string): void {
  try {
    if (words) localStorage.setItem(name, words);
    else localStorage.removeItem(name);
  } catch {
    // A browser that keeps nothing: it is known while the page is open.
  }
}

export function readItem(name: string): string {
  try {
    return localStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}
