import { expect, test } from "vitest";

import table from "../../../tests/checkin/verdicts.json" with { type: "json" };
import { decide, type Asked, type Party } from "../../src/door/verdicts.ts";

interface Case {
  readonly case: string;
  readonly party: Party | null;
  readonly cancelled: boolean;
  readonly asked: Asked;
  readonly free: number;
  readonly verdict: string;
  readonly people: number;
}

test.each((table.cases as Case[]).map((row) => [row.case, row] as const))("%s", (_, row) => {
  const verdict = decide(row.party ?? undefined, table.door, row.cancelled, row.asked, row.free);
  expect(verdict).toEqual({ kind: row.verdict, people: row.people });
});
