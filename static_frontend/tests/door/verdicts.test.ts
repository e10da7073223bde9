import { expect, test } from "vitest";

import table from "../../../tests/checkin/verdicts.json" with { type: "json" };
import { decide, decideUnlisted, type ScanOptions, type Party, type Unlisted } from "../../src/door/rules/verdicts.ts";

interface Case {
  readonly case: string;
  readonly party: Party | null;
  readonly cancelled: boolean;
  readonly asked: ScanOptions;
  readonly free: number;
  readonly reentry?: boolean;
  readonly verdict: string;
  readonly people: number;
}

test.each((table.cases as Case[]).map((row) => [row.case, row] as const))("%s", (_, row) => {
  const verdict = decide(row.party ?? undefined, table.door, row.cancelled, row.asked, row.free, row.reentry);
  expect(verdict).toEqual({ kind: row.verdict, people: row.people });
});

test.each(table.unlisted.map((row) => [row.case, row] as const))("not on the list: %s", (_, row) => {
  expect(decideUnlisted(row.ticket as Unlisted, row.cancelled)).toBe(row.phone);
});
