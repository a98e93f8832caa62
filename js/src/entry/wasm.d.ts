/** Modules, as runtimes hand them over that compile what is imported. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

/** The same, as runtimes of functions at the edge spell it. */
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
