import { expect, test } from "vitest";

import { readTable } from "../../src/office/chart-table.ts";

function table(rows: string): HTMLTableElement {
  document.body.innerHTML = `<table><thead><tr><th>Evening</th><th>Came</th><th>Free</th></tr></thead>
    <tbody>${rows}</tbody></table>`;
  return document.querySelector("table")!;
}

test("a chart has the figures of its table, whatever their form in words", () => {
  const { labels, series } = readTable(
    table(`
      <tr><th data-short="1 Feb">Sun 1 Feb, 16:00</th><td data-value="1200">1,200</td><td data-value="0">0%</td></tr>
      <tr><th><a href="#">Mon 2 Feb</a></th><td>–</td><td data-value="7">7%</td></tr>`),
  );
  expect(labels).toEqual(["1 Feb", "Mon 2 Feb"]);
  expect(series).toEqual([
    { name: "Came", figures: [1200, null] },
    { name: "Free", figures: [0, 7] },
  ]);
});

test("a column that is not drawn stands in the table only", () => {
  const found = table(`<tr><th>Mon</th><td data-value="1">1</td><td data-value="2">2</td></tr>`);
  found.tHead!.rows[0]!.cells[1]!.dataset["aside"] = "";
  expect(readTable(found).series).toEqual([{ name: "Free", figures: [2] }]);
});

test("an empty table is an empty chart", () => {
  expect(readTable(table("")).labels).toEqual([]);
});
