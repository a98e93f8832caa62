import type { Compile } from "./load.js";

/** The engine's own compiler. Apart from the loader: runtimes that compile nothing refuse scripts that so much as name it. */
export const compile: Compile = (bytes) => WebAssembly.compile(bytes);
