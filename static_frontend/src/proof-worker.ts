/** Computes a proof of work beside the page, so that the page stays quick. */

import { solveChallenge, type Challenge, type Solution } from "altcha-lib";
import { deriveKey } from "altcha-lib/algorithms/web/pbkdf2";

addEventListener("message", (event: MessageEvent<Challenge>) => {
  void solveChallenge({ challenge: event.data, deriveKey }).then((solution: Solution | null) => {
    postMessage(solution);
  });
});
