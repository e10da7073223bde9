/** The performance that this phone is a door of: its stored data, and its session with the server. */

import type { Enrolled, Performance } from "./protocol.ts";
import { DoorSession } from "./session.ts";
import { Store, type Device, type StoredData } from "./store.ts";

export class CurrentDoor {
  session: DoorSession | undefined;
  private readonly changed: () => void;
  private store: Store | undefined;
  private contents: StoredData | undefined;

  /** `changed` is called when what the session shows has changed. */
  constructor(changed: () => void) {
    this.changed = changed;
  }

  /** Read what the phone has stored. */
  async load(): Promise<void> {
    try {
      this.store = await Store.open();
      this.contents = await this.store.read();
    } catch {
      // A private window, or a full disk: the board says so.
      this.store = undefined;
    }
  }

  /** The stored device, whose session may not have begun. */
  get device(): Device | undefined {
    return this.contents?.device;
  }

  /** Actions that the server has not received. */
  get waiting(): StoredData["waiting"] {
    return [...(this.session?.state.waiting ?? this.contents?.waiting ?? [])];
  }

  /** The performance, while this phone's door is not closed. */
  get performance(): Performance | undefined {
    const device = this.session?.state.device ?? this.device;
    if (!device || device.ended) return undefined;
    return this.session?.state.performance ?? this.contents?.evening?.performance;
  }

  /** Begin a session as a device, ending the one before. */
  open(device: Device): DoorSession {
    this.session?.stop();
    return this.begin(device);
  }

  /** The session; begins one for the stored device when there is none. */
  resume(): DoorSession {
    return this.session ?? this.begin(this.device!);
  }

  /** Become another device. Queued actions are kept if it is for the same performance. */
  async switchDevice({ token, label, performance_id, rights }: Enrolled): Promise<Device> {
    const before = this.session?.state.device ?? this.device;
    const { waiting } = this;
    this.session?.stop();
    const may = rights && { rights };
    const behind = before?.behind ?? 0;
    const device = { token, label, performanceId: performance_id, behind, ...may };
    try {
      this.store = await Store.open();
      if (before?.performanceId !== performance_id) {
        await this.store.forget(waiting.map((one) => one.order!));
      }
      await this.store.wipeList(device);
      this.contents = await this.store.read();
      void navigator.storage?.persist?.();
    } catch {
      this.store = this.contents = undefined;
    }
    return device;
  }

  private begin(device: Device): DoorSession {
    this.session = new DoorSession(device, this.contents, this.store, this.changed);
    this.session.start();
    return this.session;
  }
}
