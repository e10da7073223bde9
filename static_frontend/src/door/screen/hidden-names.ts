/** Hides names on a screen that visitors can read: initials, until they are pressed. */

let hides = false;

/** Set whether names are hidden. */
export function hideNames(isHidden: boolean): void {
  hides = isHidden;
}

export function hidesNames(): boolean {
  return hides;
}

/** The name, or its initials if names are hidden. */
export function shownName(name: string): string {
  return hides ? initialsOf(name) : name;
}

/** The name where it cannot be pressed: initials with the reference. */
export function nameWithReference(name: string, reference: string | null): string {
  return hides && name && reference ? `${initialsOf(name)} (${reference})` : shownName(name);
}

function initialsOf(name: string): string {
  return name
    .split(/[\s-]+/)
    .flatMap((word) => (/\p{L}/u.exec(word) ?? []).map((letter) => `${letter.toUpperCase()}.`))
    .slice(0, 3)
    .join(" ");
}
