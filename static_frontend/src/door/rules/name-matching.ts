/** Whether somebody is called as was typed: the same rule as the server's (azionelab/checkin/house/name_matching.py). */

/** Letters that are no other letter with a mark on it, and what is typed for want of them. */
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
/** The second way to write some letters, beside leaving their marks out. */
const UMLAUTS: Readonly<Record<string, string>> = { ä: "ae", ö: "oe", ü: "ue", ø: "oe", å: "aa" };
const APOSTROPHES = /['`´‘’‛ʹʻʼʽʾʿ′＇]/g;
const GAPS = /[\s‐‑‒–—-]+/g;

/** A name as it is compared: without case, accents and apostrophes, one space between its words. */
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

/** A name folded in each way in which it is typed: "jurgen" and "juergen" for "Jürgen". */
export function spellings(text: string): string[] {
  const written = text
    .normalize("NFC")
    .toLowerCase()
    .replace(/[äöüøå]/g, (letter) => UMLAUTS[letter]!);
  return [fold(text), fold(written)];
}

/** Whether in one of the spellings `wanted` each word is somewhere in one of `name`. */
export function matchesName(name: string, wanted: readonly string[]): boolean {
  const known = spellings(name).join(" ");
  return wanted.some((one) => one.split(" ").every((word) => known.includes(word)));
}
