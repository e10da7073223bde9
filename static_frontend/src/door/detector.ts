/** Reading QR codes from a picture: by the browser where it can, else by zxing as WebAssembly. */

/** A code, and where in the picture it is. */
export interface Seen {
  readonly rawValue: string;
  readonly boundingBox: DOMRectReadOnly;
}

export interface Detector {
  detect(picture: HTMLVideoElement): Promise<Seen[]>;
}

interface NativeDetector {
  new (options: { formats: string[] }): Detector;
  getSupportedFormats(): Promise<string[]>;
}

export async function makeDetector(): Promise<Detector> {
  const native = await findNative();
  return native ? new native({ formats: ["qr_code"] }) : await makeBundledDetector();
}

export async function readsCodesItself(): Promise<boolean> {
  return (await findNative()) !== undefined;
}

async function findNative(): Promise<NativeDetector | undefined> {
  const native = (globalThis as { BarcodeDetector?: NativeDetector }).BarcodeDetector;
  // Some have the name and nothing behind it.
  const formats = await native?.getSupportedFormats().catch((): string[] => []);
  return formats?.includes("qr_code") ? native : undefined;
}

/** A megabyte of WebAssembly: fetched only by a door whose browser reads no codes itself. */
async function makeBundledDetector(): Promise<Detector> {
  const [{ BarcodeDetector, prepareZXingModule }, { default: wasm }] = await Promise.all([
    import("barcode-detector/ponyfill"),
    import("zxing-wasm/reader/zxing_reader.wasm?url"),
  ]);
  // Left alone, the library fetches its WebAssembly from a server that is not ours.
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true });
  return new BarcodeDetector({ formats: ["qr_code"] });
}
