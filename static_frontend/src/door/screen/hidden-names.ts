/** Names, on a phone whose screen guests may read: initials, until somebody presses them. */

let hides = false;

/** From now on names are hidden, or not. */
export function hideNames(isHidden: boolean): void {
  hides = isHidden;
}

export function hidesNames(): boolean {
  return hides;
}

/** The name as it may be seen. */
export function shownName(name: string): string {
  return hides ? initialsOf(name) : name;
}

/** The name where it cannot be pressed: the reference tells who it is. */
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
