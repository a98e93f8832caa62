// The public types, as a file that a change of the API changes too, so that a reader of the change sees it.
//
//   UPDATE=1 node --test js/test/api.test.mjs
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

const place = (path) => new URL(path, import.meta.url);
/** The entry for Node has all that the others have, and the stores of servers. */
const now = readFileSync(place("../dist/node.d.ts"), "utf8");
const snapshot = place("snapshots/node.d.ts");

test("the public types are those of the snapshot", () => {
  if (process.env.UPDATE) writeFileSync(snapshot, now);
  const message = "the public types changed: look at the difference, then type UPDATE=1 node --test js/test/api.test.mjs";
  assert.equal(now === readFileSync(snapshot, "utf8"), true, message);
});
