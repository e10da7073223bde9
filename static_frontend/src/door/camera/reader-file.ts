/** Where the WebAssembly that reads codes is; a file of its own, so that only who needs it has it. */

export { default } from "zxing-wasm/reader/zxing_reader.wasm?url";
