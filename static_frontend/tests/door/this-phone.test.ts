import { readFileSync } from "node:fs";

import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { PinLock } from "../../src/door/phone/pin-lock.ts";
import { ThisPhone, type DoorControl } from "../../src/door/phone/this-phone.ts";
import { View } from "../../src/door/screen/view.ts";
import { Texts } from "../../src/door/screen/texts.ts";
import { until } from "../until.ts";

const TEMPLATES = "../azionelab/templates/checkin";
const MINUTE = 60_000;
const named = new Texts({
  locale: "en",
  time_zone: "UTC",
  tones: {},
  words: new Proxy({}, { get: (_, name: string) => name }) as Record<string, string>,
});

let page: Document;
let phone: ThisPhone;

beforeEach(async () => {
  localStorage.clear();
  await new PinLock(1_000).set("2468");
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
  const html = readFileSync(`${TEMPLATES}/app.html`, "utf8")
    .replace('{% include "checkin/_this_phone.html" %}', readFileSync(`${TEMPLATES}/_this_phone.html`, "utf8"))
    .replace(/<option value="\{\{ minutes \}\}">/, '<option value="5">')
    .replace(/\{[{%].*?[%}]\}/g, "");
  page = new DOMParser().parseFromString(html, "text/html");
  const door: DoorControl = { close: () => {}, open: () => {}, render: () => {}, giveUp: async () => {} };
  phone = new ThisPhone(page, new View(page, () => {}), named, door);
});
afterEach(() => vi.useRealTimers());

const press = async (act: string) => await phone.pressed({ act, people: 0, about: "" });
const touch = () => page.dispatchEvent(new Event("pointerdown"));

/** The phone's processor stands still meanwhile, and with it its timers. */
const sleep = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds);

async function unlock(pin: string): Promise<void> {
  page.querySelector<HTMLInputElement>("#unlock-pin")!.value = pin;
  await press("unlock");
}

test("it locks after a rest, counted from the last touch", () => {
  touch();
  vi.advanceTimersByTime(4 * MINUTE);
  touch();
  vi.advanceTimersByTime(4 * MINUTE);
  expect(phone.isCovered).toBe(false);
  vi.advanceTimersByTime(MINUTE);
  expect(phone.isCovered).toBe(true);
});

test("a phone that slept for so long is locked as soon as it is seen", () => {
  touch();
  sleep(4 * MINUTE);
  phone.woke();
  expect(phone.isCovered).toBe(false);
  sleep(MINUTE);
  phone.woke();
  expect(phone.isCovered).toBe(true);
});

test("and at the first touch, where nobody tells that it is seen", () => {
  touch();
  sleep(60 * MINUTE);
  touch();
  expect(phone.isCovered).toBe(true);
});

test("a kiosk waits for its next guest, however long, and does not lock itself", async () => {
  touch();
  await press("kiosk");
  vi.advanceTimersByTime(60 * MINUTE);
  phone.woke();
  expect([phone.kiosk.isOn, phone.isCovered]).toEqual([true, false]);
});

test("tickets that a hand scanner types into a locked phone are no wrong PINs", async () => {
  phone.start();
  for (let n = 0; n < 9; n += 1) await unlock("HTTPS://");
  expect(page.querySelector("[data-lock-trouble]")!.textContent).toBe("lock.wrong");
  await unlock("2468");
  await until(() => expect(phone.isCovered).toBe(false));
});
