/** A stand-in for a target: all of it, with some methods, or the call itself, in other hands. */

/** Takes a call of the target: `call` makes it with the arguments given. */
export type Hook = (args: readonly unknown[], call: (args: readonly unknown[]) => unknown) => unknown;

/**
 * The twin of a target.
 *
 * @param methods hooks by name
 * @param called hook of a target that is called itself
 */
export function twin(target: object, methods: Readonly<Record<string, Hook>>, called?: Hook): object {
  const made = new Map<PropertyKey, { of: unknown; as: unknown }>();
  return new Proxy(target, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      const hook = typeof name === "string" && Object.hasOwn(methods, name) ? methods[name] : undefined;
      // What a target was given may be called and have members of its own; what its class has is a method, and wants the target itself.
      if (!hook && (name === "constructor" || Object.hasOwn(target, name))) return value;
      const known = made.get(name);
      if (known?.of === value) return known.as;
      const call = (args: readonly unknown[]): unknown => Reflect.apply(value, target, args);
      const as = hook ? (...args: unknown[]) => hook(args, call) : (value as (...args: unknown[]) => unknown).bind(target);
      made.set(name, { of: value, as });
      return as;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
    apply(target, self, args: unknown[]) {
      const call = (args: readonly unknown[]): unknown => Reflect.apply(target as () => unknown, self, args);
      return called ? called(args, call) : call(args);
    },
  });
}
