/** The core module, gzipped, in base64. Written by the build. */
declare const base64: string;
export default base64;
