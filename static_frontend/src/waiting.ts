/** Entry point of the page of one's place on the waitlist, near the curtain: seats that come free show up by themselves. */

import { LivePage } from "./live-page.ts";

/** Milliseconds from an answer to the next request: many phones wait for the same few seats. */
const INTERVAL = 10_000;

new LivePage(() => location.reload(), INTERVAL);
