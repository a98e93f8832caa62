/** The worker as one classic script. Written by the build. */
declare const source: string;
export default source;
