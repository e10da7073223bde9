/** The app's data in IndexedDB: it survives reloads, crashes and flat batteries. */

import { deleteDB, openDB, type DBSchema, type IDBPDatabase } from "idb";

import type { StoredTime } from "./clock.ts";
import type { Right } from "../rules/rights.ts";
import type { Action, Conflict, Counts, ListedParty, Performance } from "./protocol.ts";

const NAME = "azionelab-door";
/** Milliseconds after which opening the database is tried again. */
const ANSWERS = 5_000;

/** This phone as a device. `ended` says why it is not a door device any more. */
export interface Device extends StoredTime {
  readonly token: string;
  readonly label: string;
  readonly performanceId: number;
  /** Its rights, from the first sync on. */
  readonly rights?: readonly Right[];
  readonly ended?: EndReason;
  /** The user has ended the evening; the token is kept until the server has been told. */
  readonly isLeaving?: boolean;
}

export type EndReason = "closed" | "revoked" | "unknown";

/** The performance as of the last sync, without the list. */
export interface StoredPerformance {
  readonly performance: Performance;
  readonly counts: Counts;
  readonly conflicts: readonly Conflict[];
  readonly cursor: number | null;
  readonly listedAt: string;
  /** Public keys to verify tickets; apps before 0.4 stored none. */
  readonly ticketKeys?: readonly string[];
}

/** An action that has not been sent yet, and the people that it moved. */
export interface QueuedAction {
  readonly order?: number;
  readonly action: Action;
  readonly reference: string | null;
  readonly people: number;
  /** How many went out; negative: came back. */
  readonly gone?: number;
  readonly at: string;
}

/** An admission by an unlisted code, whose `key` is stored instead of the code (party-list.ts). */
export interface UnlistedAdmission {
  readonly key: string;
  readonly scanId: string;
  readonly at: string;
}

/** A difference between an action of this phone and what the server counted. */
export interface Discrepancy {
  readonly scanId: string;
  readonly reason: string;
  readonly at: string;
  readonly reference: string | null;
  readonly people: number;
  readonly counted: number;
  /** People were let out. */
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

/** The changes of one sync, stored in one transaction. */
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
  /** The database was deleted, here or in another tab: a new one of its name is another device's. */
  private isGone = false;

  private constructor() {}

  /** Rejects if the browser stores nothing, as in some private windows.
   *
   * Some browsers never answer the first request: try again until one is answered.
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

  /** Store the time, unless the phone has become another device meanwhile. */
  async keepTime(token: string, time: StoredTime): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction("facts", "readwrite");
      const device = (await writing.store.get("device")) as Device | undefined;
      if (device?.token === token) void writing.store.put({ ...device, ...time }, "device");
      await writing.done;
    });
  }

  /** Store the dismissed notices. */
  async dismiss(scanIds: readonly string[], dismissed: string[]): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["facts", "aside"], "readwrite");
      void writing.objectStore("facts").put(dismissed, "dismissed");
      for (const scanId of scanIds) void writing.objectStore("aside").delete(scanId);
      await writing.done;
    });
  }

  /** Append an action to the queue, with the admission of an unlisted code if there is one.
   *
   * Resolves when it is on disk ("strict" durability).
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

  /** Store the counts and the party from the answer to a single request. */
  async keepAnswer(counts: Counts, party?: ListedParty): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["facts", "parties"], "readwrite");
      const facts = writing.objectStore("facts");
      const evening = (await facts.get("evening")) as StoredPerformance | undefined;
      // Another tab may have ended the session: do not bring names back.
      if (evening) {
        void facts.put({ ...evening, counts }, "evening");
        if (party) void writing.objectStore("parties").put(party);
      }
      await writing.done;
    });
  }

  /** Store a sync's changes and drop its actions in one transaction, so that a crash loses neither. */
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

  /** Drop queued actions that the server has recorded, or will never accept. */
  async forget(orders: readonly number[], aside: readonly Discrepancy[] = []): Promise<void> {
    await this.use(async (db) => {
      const writing = db.transaction(["waiting", "aside"], "readwrite");
      for (const order of orders) void writing.objectStore("waiting").delete(order);
      for (const one of aside) void writing.objectStore("aside").put(one);
      await writing.done;
    });
  }

  /** Delete names and tickets. Queued actions stay. */
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

  /** Delete all data, the token included. */
  async wipe(): Promise<void> {
    this.isGone = true;
    this.db.close();
    await deleteDB(NAME);
  }

  /** Use the database; reopen it if the phone has closed it in the background. */
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

  /** Without `make` a missing database is not created: the system has wiped it, and the list with it. */
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

/** The admissions by unlisted codes after an action. */
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
