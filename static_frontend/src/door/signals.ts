/** What a verdict sounds and feels like, for people who look at the visitor and not at the phone. */

type Tone = "good" | "look" | "bad" | "back";

/** Hertz, one number for each beep. */
const BEEPS: Record<Tone, number[]> = {
  good: [880],
  look: [440, 440],
  bad: [220, 220, 220],
  back: [660, 440],
};
const BEEP = 0.14; // seconds

let sound: AudioContext | undefined;

export function signal(tone: string): void {
  // Browsers keep a page silent, and complain, until somebody has pressed something on it.
  if (!navigator.userActivation?.hasBeenActive) return;
  const beeps = BEEPS[tone as Tone] ?? BEEPS.bad;
  navigator.vibrate?.(beeps.flatMap(() => [120, 80]));
  if (typeof AudioContext === "undefined") return;
  sound ??= new AudioContext();
  void sound.resume();
  for (const [n, pitch] of beeps.entries()) beep(sound, pitch, sound.currentTime + n * BEEP * 1.6);
}

function beep(context: AudioContext, pitch: number, at: number): void {
  const voice = new OscillatorNode(context, { frequency: pitch, type: "triangle" });
  const volume = new GainNode(context, { gain: 0.4 });
  volume.gain.setTargetAtTime(0, at + BEEP * 0.6, 0.02);
  voice.connect(volume).connect(context.destination);
  voice.start(at);
  voice.stop(at + BEEP);
}
