/** Ids of the modules that this bundle was built beside; the build writes them here and into the modules. */
declare const BUILD_IDS: { readonly core: string; readonly full: string };

/** Id of the module that a glue belongs to: both come from one build, or nothing can be said of what happens. */
export const buildIds = BUILD_IDS;

/** Custom section of a module that holds its id. */
export const BUILD_SECTION = "driftglass-build";
