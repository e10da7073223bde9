/** Matching of names against typed queries, by the same rule as azionelab/checkin/house/name_matching.py. */

/** Letters that do not decompose into a letter and a mark, and how people type them. */
const LETTERS: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ħ: "h",
  ı: "i",
  ς: "σ",
};
/** Alternative spellings of letters, besides dropping their marks. */
const UMLAUTS: Readonly<Record<string, string>> = { ä: "ae", ö: "oe", ü: "ue", ø: "oe", å: "aa" };
const APOSTROPHES = /['`´‘’‛ʹʻʼʽʾʿ′＇]/g;
const GAPS = /[\s‐‑‒–—-]+/g;

/** Normalise a name for comparison: no case, accents or apostrophes, one space between words. */
export function fold(text: string): string {
  return text
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(APOSTROPHES, "")
    .replace(/[ßæœøłđðþħıς]/g, (letter) => LETTERS[letter]!)
    .replace(GAPS, " ")
    .trim();
}

/** A name folded in each of its usual spellings: "jurgen" and "juergen" for "Jürgen". */
export function spellings(text: string): string[] {
  const written = text
    .normalize("NFC")
    .toLowerCase()
    .replace(/[äöüøå]/g, (letter) => UMLAUTS[letter]!);
  return [fold(text), fold(written)];
}

/** Whether for one of the spellings `wanted` all of its words occur in the spellings of `name`. */
export function matchesName(name: string, wanted: readonly string[]): boolean {
  const known = spellings(name).join(" ");
  return wanted.some((one) => one.split(" ").every((word) => known.includes(word)));
}
