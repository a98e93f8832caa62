// The demo's flights as rows of inputs.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const NUMERIC = ["dep_delay", "hour", "distance", "temp", "wind_speed", "precip", "visib", "pressure"];

export const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
export const spec = () => JSON.parse(file("pkg-config.json"));

/** All flights; `numeric` has NaN for what is missing. */
export function flights() {
  const [header, ...lines] = gunzipSync(file("demo/data/flights.csv.gz")).toString().trimEnd().split("\n");
  const names = header.split(",");
  const place = (name) => names.indexOf(name);
  const numeric = NUMERIC.map(place);
  const [device, carrier, origin, late] = ["device", "carrier", "origin", "late"].map(place);
  return lines.map((line) => {
    const cells = line.split(",");
    return {
      device: Number(cells[device]),
      numeric: numeric.map((index) => (cells[index] === "" ? Number.NaN : Number(cells[index]))),
      carrier: Number(cells[carrier]),
      origin: Number(cells[origin]),
      late: cells[late] === "" ? undefined : Number(cells[late]),
    };
  });
}
