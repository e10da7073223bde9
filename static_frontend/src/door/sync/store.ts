/** What the phone keeps, so that it survives a reload, a kill and a flat battery. */

import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";

import type { StoredTime } from "./clock.ts";
import type { Right } from "../rules/rights.ts";
import type { Action, Conflict, Counts, ListedParty, Performance } from "./server.ts";

const NAME = "azionelab-door";
/** Milliseconds after which a browser that does not answer is asked once more. */
const ANSWERS = 5_000;

/** Who this phone is. `ended` says why it is no door device any more. */
export interface Device extends StoredTime {
  readonly token: string;
  readonly label: string;
  readonly performanceId: number;
  /** What it may do, once the server has told. */
  readonly rights?: readonly Right[];
  readonly ended?: EndReason;
  /** A person ended its evening here; it stays a door in name until the server was told. */
  readonly isLeaving?: boolean;
}

export type EndReason = "closed" | "revoked" | "unknown";

/** What the last sync told of the evening, besides the list. */
export interface StoredPerformance {
  readonly performance: Performance;
  readonly counts: Counts;
  readonly conflicts: readonly Conflict[];
  readonly cursor: number | null;
  readonly listedAt: string;
  /** By which tickets are checked; a page before 0.4 kept none. */
  readonly ticketKeys?: readonly string[];
}

/** What was done here and not told to the server yet, and what it changed: people of one party. */
export interface QueuedAction {
  readonly order?: number;
  readonly action: Action;
  readonly reference: string | null;
  readonly people: number;
  /** So many of them went out by it, or came back, below 0. */
  readonly gone?: number;
  readonly at: string;
}

/** People let in here on a code that is not on the list: `key` stands for the code (house.ts). */
export interface UnlistedAdmission {
  readonly key: string;
  readonly scanId: string;
  readonly at: string;
}

/** Something the server did not count as it was told here. */
export interface Discrepancy {
  readonly scanId: string;
  readonly reason: string;
  readonly at: string;
  readonly reference: string | null;
  readonly people: number;
  readonly counted: number;
  /** They were let out. */
  readonly isOut?: boolean;
}

export interface StoredData {
  device: Device | undefined;
  evening: StoredPerformance | undefined;
  parties: ListedParty[];
  waiting: QueuedAction[];
  aside: Discrepancy[];
  dismissed: string[];
  unlisted: UnlistedAdmission[];
}

/** What one answer to a sync changes: all of it, or nothing. */
export interface SyncChange {
  readonly device: Device;
  readonly evening: StoredPerformance;
  readonly isComplete: boolean;
  readonly parties: readonly ListedParty[];
  readonly forget: readonly number[];
  readonly aside: readonly Discrepancy[];
}

interface Schema extends DBSchema {
  facts: { key: string; value: Device | StoredPerformance | string[] | UnlistedAdmission[] };
  parties: { key: string; value: ListedParty };
  waiting: { key: number; value: QueuedAction };
  aside: { key: string; value: Discrepancy };
}

type Database = IDBPDatabase<Schema>;

export class Store {
  private db!: Database;
  /** It was wiped, here or in another tab: what is found under its name is another evening's. */
  private isGone = false;

  private constructor() {}

  /** Rejects where the browser keeps nothing, as in some private windows.
   *
   * Browsers are known that leave the first question without any answer: it is asked anew until one comes.
   */
  static async open(): Promise<Store> {
    for (;;) {
      const store = new Store();
      const connecting = store.connect((made) => {
        made.createObjectStore("facts");
        made.createObjectStore("parties", { keyPath: "reference" });
        made.createObjectStore("waiting", { keyPath: "order", autoIncrement: true });
        made.createObjectStore("aside", { keyPath: "scanId" });
      });
      const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), ANSWERS));
      if (await Promise.race([connecting.then(() => true), late])) return store;
      connecting.then(() => store.db.close()).catch(() => undefined);
    }
  }

  async read(): Promise<StoredData> {
    return await this.use(readAll);
  }

  async keepDevice(device: Device): Promise<void> {
    await this.use(async (db) => await db.put("facts", device, "device"));
  }

  /** What time it is, for the next start; unless this phone has become another device meanwhile. */
  async keepTime(token: string, time: StoredTime): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction("facts", "readwrite");
      const device = (await writing.store.get("device")) as Device | undefined;
      if (device?.token === token) void writing.store.put({ ...device, ...time }, "device");
      await writing.done;
    });
  }

  /** Somebody has seen what went wrong with these scans. */
  async dismiss(scanIds: readonly string[], dismissed: string[]): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["facts", "aside"], "readwrite");
      void writing.objectStore("facts").put(dismissed, "dismissed");
      for (const scanId of scanIds) void writing.objectStore("aside").delete(scanId);
      await writing.done;
    });
  }

  /** Keep what was done, in its order, and whom it let in without the list.
   *
   * Returns when it is on the disk, not merely on its way.
   */
  async enqueue(done: QueuedAction, letIn?: UnlistedAdmission): Promise<QueuedAction> {
    return await this.use(async (db) => {
      const writing = db.transaction(["waiting", "facts"], "readwrite", { durability: "strict" });
      const adding = writing.objectStore("waiting").add(done);
      const facts = writing.objectStore("facts");
      const before = (await facts.get("unlisted")) as UnlistedAdmission[] | undefined;
      const after = updateUnlisted(before ?? [], done.action, letIn);
      if (before || letIn) void facts.put([...after], "unlisted");
      const [order] = await Promise.all([adding, writing.done]);
      return { ...done, order };
    });
  }

  async keepUnlisted(unlisted: readonly UnlistedAdmission[]): Promise<void> {
    await this.use(async (db) => await db.put("facts", [...unlisted], "unlisted"));
  }

  /** What the server answered to something that was not waiting: the counts with it, and its party. */
  async keepAnswer(counts: Counts, party?: ListedParty): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["facts", "parties"], "readwrite");
      const facts = writing.objectStore("facts");
      const evening = (await facts.get("evening")) as StoredPerformance | undefined;
      // Another window may have ended it meanwhile: no name comes back.
      if (evening) {
        void facts.put({ ...evening, counts }, "evening");
        if (party) void writing.objectStore("parties").put(party);
      }
      await writing.done;
    });
  }

  /** Answers are kept and their questions forgotten in one transaction: a crash loses neither. */
  async change(change: SyncChange): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["facts", "parties", "waiting", "aside"], "readwrite", {
        durability: change.forget.length ? "strict" : "default",
      });
      const [facts, parties] = [writing.objectStore("facts"), writing.objectStore("parties")];
      void facts.put(change.device, "device");
      void facts.put(change.evening, "evening");
      if (change.isComplete) void parties.clear();
      for (const party of change.parties) void parties.put(party);
      for (const order of change.forget) void writing.objectStore("waiting").delete(order);
      for (const one of change.aside) void writing.objectStore("aside").put(one);
      await writing.done;
    });
  }

  /** Forget some of what waits: it was recorded, or will never be. */
  async forget(orders: readonly number[], aside: readonly Discrepancy[] = []): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["waiting", "aside"], "readwrite");
      for (const order of orders) void writing.objectStore("waiting").delete(order);
      for (const one of aside) void writing.objectStore("aside").put(one);
      await writing.done;
    });
  }

  /** Forget everybody's names and tickets. What waits to be sent stays. */
  async wipeList(device: Device): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["facts", "parties", "aside"], "readwrite");
      void writing.objectStore("facts").clear();
      void writing.objectStore("facts").put(device, "device");
      void writing.objectStore("parties").clear();
      void writing.objectStore("aside").clear();
      await writing.done;
    });
  }

  /** Forget everything, the token too. */
  async wipe(): Promise<void> {
    this.isGone = true;
    this.db.close();
    await deleteDB(NAME);
  }

  /** Phones take the database away from a page in the background: it is opened once more, and used again. */
  private async use<Result>(work: (db: Database) => Promise<Result>): Promise<Result> {
    try {
      return await work(this.db);
    } catch (error) {
      if (this.isGone) throw error;
      this.db.close();
      await this.connect();
      return await work(this.db);
    }
  }

  /** Without `make` a database that is not there stays so: the system has wiped it, and the list with it. */
  private async connect(make?: (made: Database) => void): Promise<void> {
    this.db = await openDB<Schema>(NAME, 1, {
      upgrade: (made, _before, _now, upgrading) => {
        if (make) return make(made);
        upgrading.done.catch(() => undefined);
        upgrading.abort();
      },
      blocking: (_current, _blocked, event) => {
        this.isGone = true;
        (event.target as IDBDatabase).close();
      },
    });
  }
}

/** Who is in without being on the list, after something was done that may have let in one more. */
export function updateUnlisted(
  before: readonly UnlistedAdmission[],
  { kind, scan_id: scanId }: Action,
  letIn?: UnlistedAdmission,
): readonly UnlistedAdmission[] {
  const rest = kind === "undo" ? before.filter((one) => one.scanId !== scanId) : before;
  return letIn ? [...rest, letIn] : rest;
}

async function readAll(db: Database): Promise<StoredData> {
  const all = db.transaction(["facts", "parties", "waiting", "aside"]);
  const facts = all.objectStore("facts");
  const [device, evening, dismissed, unlisted, parties, waiting, aside] = await Promise.all([
    facts.get("device"),
    facts.get("evening"),
    facts.get("dismissed"),
    facts.get("unlisted"),
    all.objectStore("parties").getAll(),
    all.objectStore("waiting").getAll(),
    all.objectStore("aside").getAll(),
  ]);
  return {
    device: device as Device | undefined,
    evening: evening as StoredPerformance | undefined,
    parties,
    waiting,
    aside,
    dismissed: (dismissed as string[] | undefined) ?? [],
    unlisted: (unlisted as UnlistedAdmission[] | undefined) ?? [],
  };
}
