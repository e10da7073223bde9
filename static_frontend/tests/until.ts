/** Waiting for what a test expects, as patiently as tests/support/processes.py: for an event, never for a time. */

import { vi } from "vitest";

const PATIENCE = 180_000; // milliseconds

export function until<T>(expected: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(expected, { timeout: PATIENCE });
}
