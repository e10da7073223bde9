import { expect, test } from "vitest";

import {
  brightness,
  enlargeMiddle,
  greyOf,
  sharpen,
  sharpenAcross,
  smooth,
  stretch,
  stretchParts,
  type Grey,
} from "../../src/door/camera/pixels.ts";
import { toPictureCoordinates, FILTERS } from "../../src/door/camera/filters.ts";

/** A picture of shades, by place. */
function picture(width: number, height: number, shade: (x: number, y: number) => number): Grey {
  const values = Uint8ClampedArray.from({ length: width * height }, (_, n) =>
    shade(n % width, Math.floor(n / width)),
  );
  return { width, height, values };
}

const rgba = (...shades: number[]) => ({
  width: shades.length,
  height: 1,
  data: Uint8ClampedArray.from(shades.flatMap((shade) => [shade, shade, shade, 255])),
});
const span = ({ values }: Grey, from = 0, to = values.length) => {
  const part = values.slice(from, to);
  return [Math.min(...part), Math.max(...part)];
};

test("grey is as bright as its colours are seen", () => {
  expect([...greyOf(rgba(0, 100, 255)).values]).toEqual([0, 100, 255]);
  const colours = Uint8ClampedArray.from([255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 255, 255]);
  const [red, green, blue] = greyOf({ width: 3, height: 1, data: colours }).values;
  expect(blue).toBeLessThan(red!);
  expect(red).toBeLessThan(green!);
});

test("a picture is as bright as the paper in it, not as its one lamp", () => {
  const lamp = (n: number) => (n < 100 ? 255 : 20);
  expect(brightness(rgba(...Array.from({ length: 10_000 }, (_, n) => lamp(n))))).toBe(20);
  expect(brightness(rgba(...Array.from({ length: 10_000 }, (_, n) => (n % 3 ? 10 : 200))))).toBe(200);
});

test("a dark picture is stretched from black to white; an even one stays even", () => {
  expect(span(stretch(picture(100, 100, (x) => (x % 2 ? 7 : 3))))).toEqual([0, 255]);
  expect(span(stretch(picture(10, 10, () => 9)))).toEqual([0, 0]);
});

test("each part is stretched by itself, also at an edge that no square fits", () => {
  const half = (x: number) => (x < 150 ? 0 : 200);
  const grey = stretchParts(picture(300, 70, (x) => half(x) + (x % 2 ? 20 : 0)));
  const left = picture(60, 1, (x) => grey.values[x]!);
  const right = picture(60, 1, (x) => grey.values[240 + x]!);
  expect(span(left)).toEqual([0, 255]);
  expect(span(right)).toEqual([0, 255]);
});

test("noise is smoothed, and an even picture is even up to its edges", () => {
  const noisy = smooth(picture(20, 20, (x, y) => ((x + y) % 2 ? 110 : 90)), 1);
  expect(span(noisy)[0]).toBeGreaterThan(95);
  expect(span(noisy)[1]).toBeLessThan(105);
  expect(span(smooth(picture(20, 12, () => 77), 3))).toEqual([77, 77]);
});

test("a soft edge is sharpened: either way, or only across", () => {
  const soft = (at: number) => 100 + 10 * Math.max(-3, Math.min(3, at - 10));
  const upright = picture(20, 20, (x) => soft(x));
  const level = picture(20, 20, (_, y) => soft(y));
  for (const made of [sharpen(upright, 4, 2), sharpen(level, 4, 2), sharpenAcross(upright, 4, 2)]) {
    expect(span(made)[0]).toBeLessThan(span(upright)[0]!);
    expect(span(made)[1]).toBeGreaterThan(span(upright)[1]!);
  }
  expect(sharpenAcross(level, 4, 2)).toEqual(level);
});

test("the middle is twice as large, and what is seen there is placed where it was", () => {
  const large = enlargeMiddle(picture(8, 8, (x, y) => (x === 3 && y === 3 ? 200 : 0)));
  expect([large.width, large.height]).toEqual([8, 8]);
  // The middle half begins at 2: what was at 3 is at 2 now.
  expect(large.values[2 * 8 + 2]).toBe(200);
  expect(large.values[3 * 8 + 3]).toBe(50);
  const way = FILTERS.find(({ zoom }) => zoom === 2)!;
  const whole = { ...large, width: 640, height: 480 };
  const box = { x: 320, y: 0, width: 100, height: 50 };
  const { boundingBox } = toPictureCoordinates({ rawValue: "A", boundingBox: box }, way, whole);
  expect(boundingBox).toEqual({ x: 320, y: 120, width: 50, height: 25 });
});

test("each way keeps the size of the camera's picture", () => {
  const grey = picture(160, 120, (x, y) => (x * y) % 256);
  for (const { make } of FILTERS) expect(make(grey)).toMatchObject({ width: 160, height: 120 });
});
