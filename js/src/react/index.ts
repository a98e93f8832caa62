/**
 * React hooks. They take what makes a monitor and not its options, so that this module needs nothing of the package but its types.
 *
 * @packageDocumentation
 */
import { useCallback, useEffect, useState, type DependencyList } from "react";

import type { Disposable, Monitored } from "../framework.js";
import type { Consent, ForeignModel, Watched } from "../types.js";

/** A monitor while it lives. */
export interface MonitorState<Monitor> {
  /** Undefined on the server, while it is made, and if that failed. */
  readonly monitor: Monitor | undefined;
  /** Why it could not be made. */
  readonly error: unknown;
}

/**
 * Makes a monitor when the component is mounted, starts it, and disposes of it when the component goes. Where React mounts twice, as in StrictMode, the first one
 * is disposed of.
 *
 * ```jsx
 * const { monitor } = useMonitor(() => Monitor.create({ spec, key, consent }));
 * ```
 *
 * @param create makes the monitor
 * @param deps when one of them changes, a new monitor takes the place of the old; the store goes on
 */
export function useMonitor<Monitor extends Disposable>(create: () => Promise<Monitor>, deps: DependencyList = []): MonitorState<Monitor> {
  const [state, setState] = useState<MonitorState<Monitor>>({ monitor: undefined, error: undefined });
  useEffect(() => {
    let mounted = true;
    const making = create();
    making.then(
      (monitor) => {
        if (!mounted) return;
        monitor.start();
        setState({ monitor, error: undefined });
      },
      (error: unknown) => mounted && setState({ monitor: undefined, error }),
    );
    return () => {
      mounted = false;
      setState({ monitor: undefined, error: undefined });
      making.then((monitor) => monitor.dispose()).catch(() => undefined);
    };
    // What makes the monitor is new with each rendering; the caller says what it depends on.
  }, deps);
  return state;
}

/**
 * A target that is watched as soon as there is a monitor; until then, and if the spec does not admit the model, it is the target itself.
 *
 * @param model what its model is; must keep its identity between renderings
 */
export function useWatched<Target extends object>(monitor: Monitored | undefined, target: Target, model?: ForeignModel): Watched<Target> {
  const [watched, setWatched] = useState<{ readonly of: Target; readonly as: Watched<Target> }>();
  useEffect(() => {
    let mounted = true;
    // In a callback, so that a refusal that is thrown at once is a rejection too.
    Promise.resolve()
      .then(() => monitor?.wrap(target, model) as Watched<Target> | undefined)
      .then((as) => mounted && setWatched(as && { of: target, as }))
      .catch(() => undefined);
    return () => {
      mounted = false;
      setWatched(undefined);
    };
  }, [monitor, target, model]);
  // An unwatched target makes nothing of a key.
  return watched?.of === target ? watched.as : (target as Watched<Target>);
}

/** The consent of a monitor, and what changes it. `unknown` while there is no monitor. */
export function useConsent(monitor: Pick<Disposable, "consent" | "setConsent"> | undefined): readonly [Consent, (consent: Consent) => Promise<void>] {
  const [, render] = useState(0);
  const setConsent = useCallback(
    async (consent: Consent) => {
      await monitor?.setConsent(consent);
      render((count) => count + 1);
    },
    [monitor],
  );
  return [monitor?.consent ?? "unknown", setConsent];
}
