/** Reads a chart's figures from its table: what is drawn is what the table says. */

export interface Series {
  name: string;
  /** null where the table has no figure. */
  figures: (number | null)[];
}

export interface ChartTable {
  labels: string[];
  series: Series[];
}

export function readTable(table: HTMLTableElement): ChartTable {
  const rows = [...(table.tBodies[0]?.rows ?? [])];
  const names = [...(table.tHead?.rows[0]?.cells ?? [])].slice(1).map(text);
  return {
    labels: rows.map(({ cells: [label] }) => label?.dataset["short"] ?? text(label)),
    series: names.map((name, place) => ({
      name,
      figures: rows.map((row) => figure(row.cells[place + 1])),
    })),
  };
}

function figure(cell: HTMLTableCellElement | undefined): number | null {
  const value = cell?.dataset["value"];
  return value === undefined ? null : Number(value);
}

function text(cell: HTMLTableCellElement | undefined): string {
  return cell?.textContent?.trim() ?? "";
}
