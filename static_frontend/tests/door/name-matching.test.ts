import { expect, test } from "vitest";

import table from "../../../tests/checkin/names.json" with { type: "json" };
import { matchesName, spellings } from "../../src/door/rules/name-matching.ts";

test.each(table.cases)("$name, typed $typed: $found", ({ name, typed, found }) => {
  expect(matchesName(name, spellings(typed))).toBe(found);
});
