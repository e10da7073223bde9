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
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  // Columns that are marked stand in the table and are not drawn.
  const drawn = heads.slice(1).filter((head) => head.dataset["aside"] === undefined);
  return {
    labels: rows.map(({ cells: [label] }) => label?.dataset["short"] ?? text(label)),
    series: drawn.map((head) => ({
      name: text(head),
      figures: rows.map((row) => figure(row.cells[head.cellIndex])),
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
