// What a mail's HTML asks of mail programs that they do not do, by caniemail.com's tables.
// Reads [html, ...] from standard input, writes {feature: [mail program, ...]}.

import { readFileSync } from 'node:fs'

import { caniemail } from 'caniemail'

// Those whose tables know every feature used here.
const PROGRAMS = ['gmail', 'outlook', 'apple-mail', 'yahoo', 'samsung-email', 'protonmail', 'fastmail', 'aol', 'mail-ru']

const missing = {}
for (const html of JSON.parse(readFileSync(0, 'utf8'))) {
  const { issues } = caniemail({ clients: PROGRAMS.map((program) => `${program}.*`), html })
  for (const [program, found] of issues.errors) {
    for (const { title } of found) (missing[title] ??= new Set()).add(program)
  }
}
console.log(JSON.stringify(missing, (_, value) => (value instanceof Set ? [...value].sort() : value)))
