/** The error pages that nginx shows by itself, when the application cannot answer.
 *
 * Each is one file that needs no other: it may be shown while everything behind nginx is down, so
 * it says the same in both languages and brings its own style and its own policy.
 */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import type { Plugin } from "vite";

interface Words {
  title: string;
  detail: string;
}

const PAGES: Record<number, { it: Words; en: Words }> = {
  404: {
    it: {
      title: "Pagina non trovata",
      detail: "La pagina potrebbe essere stata spostata, oppure l’indirizzo non è completo.",
    },
    en: {
      title: "Page not found",
      detail: "The page may have moved, or the address may be incomplete.",
    },
  },
  410: {
    it: { title: "Non più disponibile", detail: "Quello che cercavate non c’è più." },
    en: { title: "No longer available", detail: "What you were looking for has been removed." },
  },
  413: {
    it: { title: "Richiesta troppo grande", detail: "La richiesta è troppo grande." },
    en: { title: "Request too large", detail: "The request is too large." },
  },
  429: {
    it: {
      title: "Troppe richieste",
      detail: "Troppe richieste dalla vostra rete. Riprovate tra un minuto.",
    },
    en: {
      title: "Too many requests",
      detail: "Too many requests from your network. Please try again in a minute.",
    },
  },
  500: {
    it: {
      title: "Qualcosa è andato storto",
      detail: "C’è stato un errore del sito. Tornate indietro e riprovate tra poco.",
    },
    en: {
      title: "Something went wrong",
      detail: "The site has a problem. Please go back and try again in a moment.",
    },
  },
  503: {
    it: {
      title: "Il sito è molto occupato",
      detail: "Riprovate tra un momento. Le prenotazioni già fatte restano valide.",
    },
    en: {
      title: "The site is very busy",
      detail: "Please try again in a moment. Bookings already made are safe.",
    },
  },
};

export function errorPages(): Plugin {
  return {
    name: "azionelab-error-pages",
    apply: "build",
    generateBundle() {
      const style = readFileSync(new URL("../src/styles/error-page.css", import.meta.url), "utf8");
      for (const [code, { it, en }] of Object.entries(PAGES)) {
        this.emitFile({
          type: "asset",
          fileName: `errors/${code}.html`,
          source: page(code, it, en, style),
        });
      }
    },
  };
}

function page(code: string, it: Words, en: Words, style: string): string {
  const digest = createHash("sha256").update(style).digest("base64");
  return `<!doctype html>
<html lang="it">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${digest}'">
<title>${it.title} · ${en.title}</title>
<style>${style}</style>
</head>
<body>
<header><div></div></header>
<main>
<p class="code">${code}</p>
<h1>${it.title}</h1>
<p>${it.detail} <a href="/">Tornate al cartellone</a>.</p>
<section lang="en">
<h2>${en.title}</h2>
<p>${en.detail} <a href="/">Back to the programme</a>.</p>
</section>
</main>
</body>
</html>
`;
}
