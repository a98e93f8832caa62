/** Plain data with bytes in it, as JSON text. */
export function encode(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (part instanceof Uint8Array ? { base64: base64(part) } : part));
}

/** Inverse of {@link encode}. Throws on text that is none of its output. */
export function decode(text: string): unknown {
  return JSON.parse(text, (_key, part: unknown) => {
    const text = typeof part === "object" && part !== null && "base64" in part ? part.base64 : undefined;
    return typeof text === "string" ? Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)) : part;
  });
}

/** Letters handed to a call at a time. */
const CHUNK = 8192;

function base64(bytes: Uint8Array): string {
  let letters = "";
  for (let at = 0; at < bytes.length; at += CHUNK) letters += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(letters);
}
