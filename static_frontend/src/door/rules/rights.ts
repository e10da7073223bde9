/** What this phone may do at its door, as the server tells it (azionelab/checkin/devices/rights.py). */

export type Right = "scan" | "names" | "search" | "walk-in" | "undo-others" | "release";

/** What every phone may do by a server that tells no rights, as before 0.4. */
const ALL_RIGHTS: readonly Right[] = ["scan", "names", "search", "walk-in", "undo-others", "release"];

export function rightsOf({ rights }: { readonly rights?: readonly Right[] }): readonly Right[] {
  return rights ?? ALL_RIGHTS;
}
