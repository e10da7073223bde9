/** The error pages that nginx shows by itself, when the application cannot answer.
 *
 * Each is one file that needs no other: it may be shown while everything behind nginx is down, so
 * it says the same in all languages and brings its own style and its own policy. Its texts are
 * those of the application's error pages (azionelab/web/error_pages.py), from the catalogues.
 */

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";

import type { Plugin } from "vite";

const TRANSLATIONS = new URL("../../azionelab/translations/", import.meta.url);
const TO_PROGRAMME = "See what is on";
const PAGES: Record<number, { title: string; detail: string }> = {
  404: {
    title: "Page not found",
    detail: "The page may have moved, or the address may be incomplete.",
  },
  410: {
    title: "No longer available",
    detail: "Please go back and try again.",
  },
  413: { title: "Request too large", detail: "The request is too large." },
  429: {
    title: "Too many requests",
    detail:
      "Too many requests from your network. Please try again in a minute.",
  },
  500: {
    title: "Something went wrong",
    detail: "Please go back and try again.",
  },
  503: {
    title: "The site is very busy",
    detail: "Please try again in a moment. Nothing has been lost.",
  },
};

/** A language's tag, and what translates a text into it. */
interface Language {
  tag: string;
  say: (text: string) => string;
}

export function errorPages(): Plugin {
  return {
    name: "azionelab-error-pages",
    apply: "build",
    generateBundle() {
      const style = readFileSync(
        new URL("../src/styles/error-page.css", import.meta.url),
        "utf8",
      );
      const languages = readLanguages();
      for (const [code, { title, detail }] of Object.entries(PAGES)) {
        this.emitFile({
          type: "asset",
          fileName: `errors/${code}.html`,
          source: page(code, title, detail, style, languages),
        });
      }
    },
  };
}

/** The catalogues' languages in the application's order, English last. */
function readLanguages(): Language[] {
  const english: Language = { tag: "en", say: (text) => text };
  const folders = readdirSync(TRANSLATIONS)
    .filter((name) => name !== "en")
    .sort();
  const translated = folders.flatMap((name) => {
    const file = new URL(`${name}/LC_MESSAGES/messages.po`, TRANSLATIONS);
    if (!existsSync(file)) return [];
    const texts = readCatalogue(readFileSync(file, "utf8"));
    const say = (text: string): string => texts.get(text) ?? text;
    return [{ tag: name.replace("_", "-"), say }];
  });
  return [...translated, english];
}

/** The texts of a gettext catalogue that have no plural. */
function readCatalogue(catalogue: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const entry of catalogue.split(/\n\s*\n/)) {
    const [said, words] = ["msgid", "msgstr"].map((name) => {
      const found =
        new RegExp(`^${name} ((?:".*"\\s*)+)`, "m").exec(entry)?.[1] ?? "";
      return found
        .split("\n")
        .filter((line) => line.startsWith('"'))
        .map((line) => JSON.parse(line.trim()) as string)
        .join("");
    });
    if (said && words && !/^#,.*fuzzy/m.test(entry)) texts.set(said, words);
  }
  return texts;
}

function page(
  code: string,
  title: string,
  detail: string,
  style: string,
  languages: Language[],
): string {
  const digest = createHash("sha256").update(style).digest("base64");
  const told = languages.map(({ tag, say }, place) => {
    const heading = place ? "h2" : "h1";
    return `<section lang="${tag}">
<${heading}>${escape(say(title))}</${heading}>
<p>${escape(say(detail))} <a href="/${tag}/">${escape(say(TO_PROGRAMME))}</a></p>
</section>`;
  });
  return `<!doctype html>
<html lang="${languages[0]?.tag ?? "en"}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${digest}'">
<title>${languages.map(({ say }) => escape(say(title))).join(" · ")}</title>
<style>${style}</style>
</head>
<body>
<header><div></div></header>
<main>
<p class="code">${code}</p>
${told.join("\n")}
</main>
</body>
</html>
`;
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
