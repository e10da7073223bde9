/** Rights of this phone (azionelab/checkin/devices/rights.py). */

export type Right = "scan" | "names" | "search" | "walk-in" | "undo-others" | "release";

/** The rights of every phone with a server before 0.4. */
const ALL_RIGHTS: readonly Right[] = ["scan", "names", "search", "walk-in", "undo-others", "release"];

export function rightsOf({ rights }: { readonly rights?: readonly Right[] }): readonly Right[] {
  return rights ?? ALL_RIGHTS;
}
