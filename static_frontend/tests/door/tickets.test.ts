import { afterEach, describe, expect, test, vi } from "vitest";

import table from "../../../tests/checkin/tickets.json" with { type: "json" };
import { PartyList } from "../../src/door/rules/party-list.ts";
import { isGenuine, readSigned, verifyBundled, verifyNatively } from "../../src/door/rules/tickets.ts";
import { aParty, digestOf } from "./stage.ts";

const SITE = "HTTPS://TICKETS.EXAMPLE.ORG/T/";
const ROWS = table.tickets.map((row) => [row.ticket, row] as const);
const GENUINE = table.tickets[0]!;

afterEach(() => vi.unstubAllGlobals());

/** A browser without Ed25519; `asked` counts how often it was asked for. */
function withoutEd25519(): () => number {
  const importKey = vi.fn(async () => {
    throw new DOMException("Unrecognized name.", "NotSupportedError");
  });
  const subtle = { digest: crypto.subtle.digest.bind(crypto.subtle), importKey };
  vi.stubGlobal("crypto", { subtle });
  return () => importKey.mock.calls.length;
}

describe.each([
  ["by the browser", verifyNatively],
  ["by the library", verifyBundled],
])("%s", (_, verify) => {
  test.each(ROWS)("a ticket %s", async (_, row) => {
    const signed = readSigned(SITE + row.text);
    const isOurs = signed !== undefined && (await isGenuine(signed, table.keys, verify));
    expect(isOurs).toBe(row.reference !== null);
    if (isOurs) {
      expect([signed.performanceId, signed.reference]).toEqual([row.performance, row.reference]);
    }
  });

  test("a key that is not among the theatre's makes no ticket", async () => {
    const signed = readSigned(GENUINE.text)!;
    expect(await isGenuine(signed, table.keys.slice(0, 1), verify)).toBe(true);
    expect(await isGenuine(signed, table.keys.slice(1), verify)).toBe(false);
  });
});

test.each([GENUINE.text, `${SITE}${GENUINE.text}`, ` ${SITE}${GENUINE.text}/\n`])("%j is read", (code) => {
  expect(readSigned(code)).toMatchObject({ performanceId: 7, reference: GENUINE.reference });
});

test.each([
  GENUINE.text.replace("/", ""),
  `0${GENUINE.text}`,
  `${GENUINE.text}0`,
  `${GENUINE.text}/x`,
  `9${GENUINE.text.slice(1)}`,
])("%j is no signed ticket", (code) => expect(readSigned(code)).toBeUndefined());

describe.each(["with Ed25519", "without Ed25519"])("a phone %s", (browser) => {
  test.each(ROWS)("takes a ticket %s, which is not on its list, for what it is", async (_, row) => {
    const asked = browser === "without Ed25519" ? withoutEd25519() : undefined;
    const house = new PartyList(table.door, [await aParty(0)]);
    house.ticketKeys = table.keys;
    expect(await house.identify(SITE + row.text)).toBe(row.phone);
    if (asked && row.phone !== "older" && readSigned(row.text)) expect(asked()).toBeGreaterThan(0);
  });
});

test.each(ROWS)("without keys a phone cannot tell a ticket %s from another", async (_, row) => {
  const house = new PartyList(table.door, [await aParty(0)]);
  expect(await house.identify(SITE + row.text)).toBe("ticket");
});

test("a ticket on the list is known by its digest, with no keys and no signature to check", async () => {
  withoutEd25519();
  const tail = GENUINE.text.split("/")[1]!;
  const house = new PartyList(table.door, [await aParty(0, { name: "Ada", tickets: [await digestOf(tail)] })]);
  expect(await house.identify(SITE + GENUINE.text)).toMatchObject({ party: { name: "Ada" }, byTicket: true });
});

test.each([
  ["by the key of before, whose digest the list has not", table.tickets[1]!],
  ["that names another evening", table.tickets[2]!],
])("a genuine ticket %s, of a booking on the list, is that booking's", async (_, row) => {
  const house = new PartyList(table.door, [await aParty(0, { reference: row.reference!, name: "Ada" })]);
  house.ticketKeys = table.keys;
  expect(await house.identify(SITE + row.text)).toMatchObject({ party: { name: "Ada" }, byTicket: true });
});

test("a forged ticket with the reference of a booking on the list is forged", async () => {
  const row = table.tickets.find(({ ticket }) => ticket === "by somebody else's key")!;
  const { reference } = readSigned(row.text)!;
  const house = new PartyList(table.door, [await aParty(0, { reference })]);
  house.ticketKeys = table.keys;
  expect(await house.identify(SITE + row.text)).toBe("forged");
});
