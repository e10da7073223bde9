/** Reads QR codes from pictures: with the browser's BarcodeDetector, or zxing as WebAssembly. */

/** A code and its position in the picture. */
export interface DetectedCode {
  readonly rawValue: string;
  readonly boundingBox: Pick<DOMRectReadOnly, "x" | "y" | "width" | "height">;
}

export interface Detector {
  detect(picture: HTMLVideoElement | ImageData): Promise<DetectedCode[]>;
}

interface NativeDetector {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

export async function makeDetector(): Promise<Detector> {
  return await makeDetectorWith(loadReader);
}

/** A detector that has read a sample: the first read is slow, and should not delay the first scan. */
export async function makeDetectorWith(
  reader: () => Promise<WebAssembly.Module | undefined>,
): Promise<Detector> {
  const native = await findNative();
  const detector = native
    ? new native({ formats: ["qr_code"] })
    : await makeBundledDetector(await reader());
  await detector.detect(sampleCode()).catch(() => []);
  return detector;
}

export async function readsCodesItself(): Promise<boolean> {
  return (await findNative()) !== undefined;
}

async function findNative(): Promise<NativeDetector | undefined> {
  const native = (globalThis as { BarcodeDetector?: NativeDetector }).BarcodeDetector;
  // Some browsers have the class but support no formats.
  const formats = await native?.getSupportedFormats().catch((): string[] => []);
  return formats?.includes("qr_code") ? native : undefined;
}

/** The WebAssembly reader, a megabyte: loaded only if the browser has no reader.
 *
 * The page loads it for its worker too: some browsers bypass the service worker for fetches of a worker, and the
 * content security policy of static files forbids a worker to compile WebAssembly.
 */
export async function loadReader(): Promise<WebAssembly.Module | undefined> {
  if (await findNative()) return undefined;
  loading ??= compileReader();
  // Do not cache a failure: the next call tries again.
  return await loading.catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
}

let loading: Promise<WebAssembly.Module> | undefined;

async function compileReader(): Promise<WebAssembly.Module> {
  const { default: wasm } = await import("./reader-file.ts");
  const file = await fetch(wasm);
  return await WebAssembly.compile(await file.arrayBuffer());
}

async function makeBundledDetector(module: WebAssembly.Module | undefined): Promise<Detector> {
  if (!module) throw new Error("this browser reads no codes, and has no reader");
  const { BarcodeDetector, prepareZXingModule } = await import("barcode-detector/ponyfill");
  // By default the library fetches its WebAssembly from a CDN.
  const instantiateWasm = (imports: WebAssembly.Imports, done: (made: WebAssembly.Instance) => void) => {
    void WebAssembly.instantiate(module, imports).then(done);
    return {};
  };
  await prepareZXingModule({ overrides: { instantiateWasm }, fireImmediately: true });
  return new BarcodeDetector({ formats: ["qr_code"] });
}

/** A QR code of "0", one bit per module. */
const SAMPLE = [
  0x1fdf7f, 0x104d41, 0x17445d, 0x175c5d, 0x17555d, 0x105e41, 0x1fd57f,
  0x001300, 0x117ef9, 0x05272b, 0x12567c, 0x1d18d4, 0x1079c7, 0x0011c7,
  0x1fd982, 0x104328, 0x17567f, 0x17472b, 0x174a7c, 0x1048d6, 0x1fd9c7,
];
const [DOT, MARGIN] = [4, 4];

function sampleCode(): ImageData {
  const side = (SAMPLE.length + 2 * MARGIN) * DOT;
  const picture = new ImageData(side, side);
  picture.data.fill(255);
  for (let n = 0; n < side * side; n += 1) {
    const [x, y] = [n % side, n / side].map((at) => Math.floor(at / DOT) - MARGIN) as [number, number];
    const isDark = x >= 0 && ((SAMPLE[y] ?? 0) >> (SAMPLE.length - 1 - x)) & 1;
    if (isDark) picture.data.fill(0, 4 * n, 4 * n + 3);
  }
  return picture;
}
