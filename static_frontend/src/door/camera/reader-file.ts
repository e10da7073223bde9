/** The address of the WebAssembly reader, in a chunk of its own that is loaded on demand. */

export { default } from "zxing-wasm/reader/zxing_reader.wasm?url";
