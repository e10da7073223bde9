/** Whether somebody is called as was typed: the same rule as the server's (azionelab/checkin/names.py). */

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

/** Whether each word of `wanted` is somewhere in `name`, both of them folded. */
export function isCalled(name: string, wanted: string): boolean {
  return wanted.split(" ").every((word) => name.includes(word));
}
