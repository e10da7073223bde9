/** Sounds and vibrations for verdicts, for users who look at the visitor and not at the phone. */

type Tone = "good" | "look" | "bad" | "back";

/** `beeps` are for a noisy foyer, `chimes` for a quiet one. */
export const SOUNDS = ["beeps", "chimes", "off"] as const;
export type Sound = (typeof SOUNDS)[number];

/** Signal settings; `volume` in percent. */
export interface Played {
  readonly sound: Sound;
  readonly volume: number;
  readonly vibrates: boolean;
}

/** Frequencies in hertz, one per beep. */
const BEEPS: Record<Tone, number[]> = {
  good: [880],
  look: [440, 440],
  bad: [220, 220, 220],
  back: [660, 440],
};
const BEEP = 0.14; // seconds
const LOUDEST = 0.5;
const VOICES: Readonly<Record<Exclude<Sound, "off">, OscillatorType>> = {
  beeps: "triangle",
  chimes: "sine",
};

let sound: AudioContext | undefined;
let played: Played = { sound: "beeps", volume: 80, vibrates: true };

/** Set how signals are played. */
export function playAs(chosen: Played): void {
  played = chosen;
}

/** Older phones allow sound only if the audio context was started by a user gesture. */
export function wakeWithFirstTouch(page: Document): void {
  page.addEventListener("click", () => wake(), { once: true });
}

export function signal(tone: string): void {
  // Undefined, in spite of its type, on older phones (iOS before 16.4, Firefox before 120).
  const activation = navigator.userActivation as UserActivation | undefined;
  // Browsers block sound, and log a warning, before the first user gesture.
  if (activation && !activation.hasBeenActive) return;
  const beeps = BEEPS[tone as Tone] ?? BEEPS.bad;
  if (played.vibrates) navigator.vibrate?.(beeps.flatMap(() => [120, 80]));
  if (played.sound === "off" || played.volume === 0) return;
  const voice = VOICES[played.sound];
  const context = wake();
  // Beeps scheduled on a suspended context would all play at the first touch.
  if (!context || (!activation && context.state !== "running")) return;
  for (const [n, pitch] of beeps.entries()) beep(context, voice, pitch, context.currentTime + n * BEEP * 1.6);
}

function wake(): AudioContext | undefined {
  if (typeof AudioContext === "undefined") return undefined;
  sound ??= new AudioContext();
  // Refused without a user gesture: the next gesture tries again.
  sound.resume().catch(() => undefined);
  return sound;
}

function beep(context: AudioContext, type: OscillatorType, pitch: number, at: number): void {
  const voice = new OscillatorNode(context, { frequency: pitch, type });
  const volume = new GainNode(context, { gain: (LOUDEST * played.volume) / 100 });
  volume.gain.setTargetAtTime(0, at + BEEP * 0.6, 0.02);
  voice.connect(volume).connect(context.destination);
  voice.start(at);
  voice.stop(at + BEEP);
}
