/** Modules, as runtimes hand them over that compile what is imported. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
