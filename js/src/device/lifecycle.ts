/**
 * Calls back when the page may be about to go: it was hidden, or is being left. These are the last events that a page is sure to get; `unload` is not among
 * them, and listening to it keeps a page out of the back-forward cache. Where there is no document, never calls back.
 *
 * @returns what ends that
 */
export function onHidden(call: () => void): () => void {
  if (typeof document === "undefined") return () => undefined;
  const hidden = () => {
    if (document.visibilityState === "hidden") call();
  };
  document.addEventListener("visibilitychange", hidden);
  addEventListener("pagehide", call);
  return () => {
    document.removeEventListener("visibilitychange", hidden);
    removeEventListener("pagehide", call);
  };
}
