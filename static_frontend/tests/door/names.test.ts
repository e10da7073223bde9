import { expect, test } from "vitest";

import table from "../../../tests/checkin/names.json" with { type: "json" };
import { isCalled, spellings } from "../../src/door/names.ts";

test.each(table.cases)("$name, typed $typed: $found", ({ name, typed, found }) => {
  expect(isCalled(name, spellings(typed))).toBe(found);
});
