/**
 * Vue composables. They take what makes a monitor and not its options, so that this module needs nothing of the package but its types.
 *
 * @packageDocumentation
 */
import { getCurrentInstance, onMounted, onScopeDispose, ref, shallowRef, watchEffect, type Ref, type ShallowRef } from "vue";

import type { Disposable, Monitored } from "../framework.js";
import type { Consent, ForeignModel, Watched } from "../types.js";

/** A monitor while it lives. */
export interface MonitorRefs<Monitor> {
  /** Undefined on the server, while it is made, and if that failed. */
  readonly monitor: Readonly<ShallowRef<Monitor | undefined>>;
  /** Why it could not be made. */
  readonly error: Readonly<ShallowRef<unknown>>;
  /** `unknown` while there is no monitor. */
  readonly consent: Readonly<Ref<Consent>>;
  /** Takes a new word from the person. */
  setConsent(consent: Consent): Promise<void>;
}

/**
 * Makes a monitor when the component is mounted, starts it, and disposes of it when the component, or the effect scope, goes.
 *
 * ```js
 * const { monitor } = useMonitor(() => Monitor.create({ spec, key, consent: "granted" }));
 * ```
 *
 * @param create makes the monitor
 */
export function useMonitor<Monitor extends Disposable>(create: () => Promise<Monitor>): MonitorRefs<Monitor> {
  const monitor = shallowRef<Monitor>();
  const error = shallowRef<unknown>();
  const consent = ref<Consent>("unknown");
  let live = true;
  let making: Promise<Monitor> | undefined;
  const make = () => {
    making = create();
    making.then(
      (made) => {
        if (!live) return;
        made.start();
        consent.value = made.consent;
        monitor.value = made;
      },
      (cause: unknown) => live && (error.value = cause),
    );
  };
  // A component on a server is never mounted; a scope of its own has nothing to wait for.
  if (getCurrentInstance()) onMounted(make);
  else make();
  onScopeDispose(() => {
    live = false;
    monitor.value = undefined;
    making?.then((made) => made.dispose()).catch(() => undefined);
  });
  const setConsent = async (word: Consent) => {
    await monitor.value?.setConsent(word);
    consent.value = monitor.value?.consent ?? "unknown";
  };
  return { monitor, error, consent, setConsent };
}

/** A target that is watched as soon as there is a monitor; until then, and if the spec does not admit the model, it is the target itself. */
export function useWatched<Target extends object>(
  monitor: Readonly<Ref<Monitored | undefined>>,
  target: Target,
  model?: ForeignModel,
): Readonly<Ref<Watched<Target>>> {
  // An unwatched target makes nothing of a key.
  const plain = target as Watched<Target>;
  const watched = shallowRef<unknown>(plain);
  watchEffect(async (onCleanup) => {
    let live = true;
    onCleanup(() => (live = false));
    const by = monitor.value;
    watched.value = plain;
    try {
      const as = await by?.wrap(target, model);
      if (live && as) watched.value = as;
    } catch {
      // Not admitted: the target runs without being watched.
    }
  });
  return watched as Readonly<Ref<Watched<Target>>>;
}
