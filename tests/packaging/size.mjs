// Prints how large a file is, and as servers send it at their strongest settings: `node size.mjs <file>`.
import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const bytes = readFileSync(process.argv[2]);
console.log(
  JSON.stringify({ raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length, brotli: brotliCompressSync(bytes).length }),
);
