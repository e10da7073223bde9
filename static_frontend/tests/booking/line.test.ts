import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { minutesAtMost, watchLine } from "../../src/booking/line.ts";

const state = {
  joined: 300,
  let_in: 100,
  drawn: true,
  ended: false,
  sold_out: false,
  per_minute: 20,
  inside_limit: 100,
  stay_minutes: 10,
  names_minutes: true,
  slowed: false,
};
const reload = vi.fn();
const text = (where: string): string => document.querySelector(where)!.textContent;

function show(number: number | "", answer: Partial<typeof state>): void {
  document.body.innerHTML = `<b data-ahead>60</b><p data-minutes-part><b data-minutes>30</b></p>
    <p data-no-minutes="slowed" hidden></p><p data-no-minutes="scarce" hidden></p>
    <p data-queue-said data-state-at="/it/queue/1/state" data-number="${number}" data-sold-out="no"
       data-ahead-words="Ahead" data-minutes-words="Minutes"></p>`;
  vi.stubGlobal(
    "fetch",
    vi.fn(() => Promise.resolve(new Response(JSON.stringify({ ...state, ...answer })))),
  );
  watchLine(document, reload);
}

beforeEach(() => {
  vi.useFakeTimers();
  reload.mockReset();
});
afterEach(() => {
  vi.useRealTimers();
});

test.each([
  [150, ["49", "13"]],
  [250, ["60", "28"]],
])("what is shown to number %i falls and never rises", async (number, shown) => {
  show(number, {});
  await vi.advanceTimersByTimeAsync(5_000);
  expect([text("[data-ahead]"), text("[data-minutes]")]).toEqual(shown);
  expect(reload).not.toHaveBeenCalled();
});

test("a screen reader hears it once a minute, and cookies stay here", async () => {
  show(150, {});
  await vi.advanceTimersByTimeAsync(30_000);
  expect(text("[data-queue-said]")).toBe("");
  await vi.advanceTimersByTimeAsync(40_000);
  expect(text("[data-queue-said]")).toBe("Ahead: 49. Minutes: 13.");
  expect(vi.mocked(fetch).mock.lastCall?.[1]).toMatchObject({ credentials: "omit" });
});

test.each([
  ["it is one's turn", 150, { let_in: 150 }],
  ["the line is over", 150, { ended: true }],
  ["the lot is drawn", "" as const, {}],
  ["the last seat is gone", 150, { sold_out: true }],
])("the page is loaded again when %s", async (_what, number, answer) => {
  show(number, answer);
  await vi.advanceTimersByTimeAsync(5_000 + 60_000);
  expect(reload).toHaveBeenCalledOnce();
});

test.each([
  [{}, []],
  [{ names_minutes: false }, ["scarce"]],
  [{ names_minutes: false, slowed: true }, ["slowed"]],
])("the reason is told why no minutes are named: %o", async (answer, reasons) => {
  show(150, answer);
  await vi.advanceTimersByTimeAsync(5_000);
  const told = [...document.querySelectorAll<HTMLElement>("[data-no-minutes]:not([hidden])")];
  expect(told.map((one) => one.dataset["noMinutes"])).toEqual(reasons);
});

test("the first numbers wait for the rate alone", () => {
  expect(minutesAtMost(100, { ...state, let_in: 0 })).toBe(5);
  expect(minutesAtMost(101, { ...state, let_in: 0 })).toBe(16);
});
