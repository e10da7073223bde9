/** Entry point of pages with charts: draws each from the table beside it, in the colours of its legend. */

import {
  BarController,
  BarElement,
  CategoryScale,
  Chart,
  type ChartConfiguration,
  type ChartDataset,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
} from "chart.js";

import { readTable, type Series } from "./chart-table.ts";

Chart.register(
  BarController,
  BarElement,
  CategoryScale,
  LinearScale,
  LineController,
  LineElement,
  PointElement,
  Tooltip,
);
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 13;
// Nothing moves: for people who prefer that, and on paper.
Chart.defaults.animation = false;

const DARK = matchMedia("(prefers-color-scheme: dark)");
const FEW = 8; // labels that all find room

for (const figure of document.querySelectorAll<HTMLElement>("[data-chart]")) {
  const box = figure.querySelector<HTMLElement>(".drawing");
  const canvas = figure.querySelector("canvas");
  const table = figure.querySelector("table");
  if (box && canvas && table) draw(figure, box, canvas, table);
}

function draw(
  figure: HTMLElement,
  box: HTMLElement,
  canvas: HTMLCanvasElement,
  table: HTMLTableElement,
): void {
  const { labels, series } = readTable(table);
  box.hidden = false;
  let chart: Chart | undefined;
  const paint = (): void => {
    chart?.destroy();
    chart = new Chart(canvas, configuration(figure, box, labels, series));
  };
  paint();
  figure.dataset["points"] = String(labels.length * series.length);
  DARK.addEventListener("change", paint);
  // Paper is white, whatever the screen is.
  addEventListener("beforeprint", () => {
    document.documentElement.classList.add("printing");
    paint();
  });
  addEventListener("afterprint", () => {
    document.documentElement.classList.remove("printing");
    paint();
  });
}

/** A chart in the colours that the page has now. */
function configuration(
  figure: HTMLElement,
  box: HTMLElement,
  labels: string[],
  series: Series[],
): ChartConfiguration {
  const { color, borderColor } = getComputedStyle(box);
  const swatches = [...figure.querySelectorAll(".swatch")];
  const kind = figure.dataset["chart"];
  const unit = figure.dataset["unit"] ?? "";
  const axis = figure.dataset["axis"] ?? "";
  const isLine = kind === "line";
  const datasets = series.map(({ name, figures }, place): ChartDataset => {
    const swatch = swatches[place] ?? box;
    const colour = getComputedStyle(swatch).backgroundColor;
    const shared = { label: name, data: figures, backgroundColor: colour, borderColor: colour };
    if (!isLine) return { type: "bar", ...shared, categoryPercentage: 0.85, barPercentage: 1 };
    const borderDash = swatch.classList.contains("typical") ? [6, 4] : [];
    return { type: "line", ...shared, borderDash, borderWidth: 2.5, pointRadius: 0 };
  });
  const stacked = kind === "stacked";
  return {
    type: isLine ? "line" : "bar",
    data: { labels, datasets },
    options: {
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: {
          stacked,
          grid: { display: false },
          border: { color: borderColor },
          ticks: { color, maxRotation: 50, autoSkip: labels.length > FEW, autoSkipPadding: 12 },
          title: { display: axis !== "", text: axis, color },
        },
        y: {
          stacked,
          beginAtZero: true,
          grid: { color: borderColor },
          border: { color: borderColor },
          ticks: { color, precision: 0, maxTicksLimit: 6, callback: (value) => `${value}${unit}` },
        },
      },
      plugins: {
        tooltip: {
          callbacks: { label: (at) => `${at.dataset.label}: ${at.formattedValue}${unit}` },
        },
      },
    },
  };
}
