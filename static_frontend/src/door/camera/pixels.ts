/** Image processing for pictures in which no code was found. */

export interface Grey {
  readonly width: number;
  readonly height: number;
  readonly values: Uint8ClampedArray;
}

type Pixels = Pick<ImageData, "width" | "height" | "data">;

/** Pixels per side of the tiles of `stretchParts`. */
const TILE = 64;
/** The least contrast of a tile: smaller differences are noise. */
const LEAST = 8;

export function greyOf({ width, height, data }: Pixels): Grey {
  const values = new Uint8ClampedArray(width * height);
  for (let n = 0, at = 0; n < values.length; n += 1, at += 4) {
    values[n] = (306 * data[at]! + 601 * data[at + 1]! + 117 * data[at + 2]!) >> 10;
  }
  return { width, height, values };
}

/** A grey, opaque ImageData for a reader. */
export function pictureOf({ width, height, values }: Grey): ImageData {
  const picture = new ImageData(width, height);
  const words = new Uint32Array(picture.data.buffer);
  for (let n = 0; n < values.length; n += 1) words[n] = 0xff000000 | (values[n]! * 0x010101);
  return picture;
}

/** The 98th percentile of brightness, 0 to 255, of a sample of the pixels. */
export function brightness({ data }: Pixels): number {
  const counts = new Uint32Array(256);
  // The green channel of every 29th pixel: it contributes most to brightness.
  for (let at = 1; at < data.length; at += 4 * 29) counts[data[at]!]! += 1;
  return level(counts, 0.98);
}

/** Stretch the contrast to the whole range. */
export function stretch(grey: Grey): Grey {
  const counts = new Uint32Array(256);
  for (const value of grey.values) counts[value]! += 1;
  const low = level(counts, 0.01);
  const gain = 255 / Math.max(1, level(counts, 0.99) - low);
  return { ...grey, values: grey.values.map((value) => (value - low) * gain) };
}

/** Stretch the contrast of each tile, against shadows, folds and glare. */
export function stretchParts(grey: Grey): Grey {
  const { width, height, values } = grey;
  const [across, down] = [Math.ceil(width / TILE), Math.ceil(height / TILE)];
  const lows = new Float32Array(across * down);
  const highs = new Float32Array(across * down);
  for (let tile = 0; tile < lows.length; tile += 1) {
    const counts = countTile(grey, (tile % across) * TILE, Math.floor(tile / across) * TILE);
    lows[tile] = level(counts, 0.02);
    highs[tile] = level(counts, 0.98);
  }
  const made = new Uint8ClampedArray(values.length);
  const columns = Array.from({ length: width }, (_, x) => between(x, across));
  const low = new Float32Array(across);
  const high = new Float32Array(across);
  for (let y = 0; y < height; y += 1) {
    const [above, below, share] = between(y, down);
    for (let n = 0; n < across; n += 1) {
      low[n] = mix(lows[above * across + n]!, lows[below * across + n]!, share);
      high[n] = mix(highs[above * across + n]!, highs[below * across + n]!, share);
    }
    for (let x = 0; x < width; x += 1) {
      const [left, right, part] = columns[x]!;
      const least = mix(low[left]!, low[right]!, part);
      const span = Math.max(LEAST, mix(high[left]!, high[right]!, part) - least);
      made[y * width + x] = ((values[y * width + x]! - least) * 255) / span;
    }
  }
  return { width, height, values: made };
}

/** Box blur: the mean of the pixels up to `reach` away, against noise in low light. */
export function smooth(grey: Grey, reach: number): Grey {
  return meanAcross(turned(meanAcross(turned(grey), reach)), reach);
}

/** Unsharp mask, against lack of focus. */
export function sharpen(grey: Grey, reach: number, gain: number): Grey {
  return awayFrom(grey, smooth(grey, reach), gain);
}

/** Horizontal unsharp mask, against motion blur. */
export function sharpenAcross(grey: Grey, reach: number, gain: number): Grey {
  return awayFrom(grey, meanAcross(grey, reach), gain);
}

/** The middle half of a picture, magnified twice. */
export function enlargeMiddle({ width, height, values }: Grey): Grey {
  const [left, top] = [width >> 2, height >> 2];
  const [wide, high] = [(width >> 1) << 1, (height >> 1) << 1];
  const made = new Uint8ClampedArray(wide * high);
  for (let y = 0; y < high; y += 1) {
    const row = (top + (y >> 1)) * width + left;
    const next = row + (y & 1) * width;
    for (let x = 0; x < wide; x += 1) {
      const at = x >> 1;
      const beside = at + (x & 1);
      made[y * wide + x] =
        (values[row + at]! + values[row + beside]! + values[next + at]! + values[next + beside]!) / 4;
    }
  }
  return { width: wide, height: high, values: made };
}

/** The quantile of a histogram. */
function level(counts: Uint32Array, share: number): number {
  let left = counts.reduce((sum, count) => sum + count, 0) * share;
  for (let value = 0; value < counts.length; value += 1) {
    left -= counts[value]!;
    if (left <= 0) return value;
  }
  return counts.length - 1;
}

function countTile({ width, height, values }: Grey, left: number, top: number): Uint32Array {
  const counts = new Uint32Array(256);
  const [right, bottom] = [Math.min(width, left + TILE), Math.min(height, top + TILE)];
  for (let y = top; y < bottom; y += 1) {
    for (let x = left; x < right; x += 1) counts[values[y * width + x]!]! += 1;
  }
  return counts;
}

/** The two tiles whose centres enclose the pixel, and the weight of the second. */
function between(pixel: number, tiles: number): [number, number, number] {
  const at = Math.min(tiles - 1, Math.max(0, (pixel + 0.5) / TILE - 0.5));
  const first = Math.floor(at);
  return [first, Math.min(tiles - 1, first + 1), at - first];
}

function mix(one: number, other: number, share: number): number {
  return one + (other - one) * share;
}

function meanAcross({ width, height, values }: Grey, reach: number): Grey {
  const made = new Uint8ClampedArray(values.length);
  for (let row = 0; row < values.length; row += width) {
    let sum = 0;
    for (let x = -reach; x < width; x += 1) {
      if (x + reach < width) sum += values[row + x + reach]!;
      if (x > reach) sum -= values[row + x - reach - 1]!;
      const count = Math.min(width - 1, x + reach) - Math.max(0, x - reach) + 1;
      if (x >= 0) made[row + x] = sum / count;
    }
  }
  return { width, height, values: made };
}

/** Transpose. */
function turned({ width, height, values }: Grey): Grey {
  const made = new Uint8ClampedArray(values.length);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) made[x * height + y] = values[y * width + x]!;
  }
  return { width: height, height: width, values: made };
}

function awayFrom(grey: Grey, mean: Grey, gain: number): Grey {
  const values = grey.values.map((value, n) => value + gain * (value - mean.values[n]!));
  return { ...grey, values };
}
