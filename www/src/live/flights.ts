// The demo's flights: one gzipped CSV file, sorted by departure, read until the window ends.

/** The model's numeric inputs, in order, with their units. */
export const NUMERIC: [column: string, unit: string][] = [
  ["dep_delay", "min"], ["hour", "h"], ["distance", "mi"], ["temp", "°F"],
  ["wind_speed", "mph"], ["precip", "in"], ["visib", "mi"], ["pressure", "hPa"],
];

/** Minute 0 of the file: 2013-01-01T00:00, a local wall clock read as UTC. */
const EPOCH_SECS = Date.UTC(2013, 0, 1) / 1000;

export interface Flight {
  /** Names the prediction until its outcome arrives. */
  key: string;
  departureSecs: number;
  /** When it is known whether the flight was late; null if that is never known. */
  arrivalSecs: number | null;
  numeric: Float32Array<ArrayBuffer>;
  carrier: number;
  origin: number;
  late: boolean | null;
}

export interface Vocabulary {
  carriers: string[];
  origins: string[];
}

export const vocabulary = async (): Promise<Vocabulary> => (await loaded("/demo/vocabulary.json")).json();

export const model = async (): Promise<Uint8Array> => new Uint8Array(await (await loaded("/demo/late-arrival-1.onnx")).arrayBuffer());

/** The flights that departed in [startSecs, endSecs), by aircraft; the busiest aircraft first. */
export async function flightsBetween(startSecs: number, endSecs: number): Promise<Map<number, Flight[]>> {
  const byAircraft = new Map<number, Flight[]>();
  let header: string[] | undefined;
  for await (const line of lines("/demo/flights.csv.gz")) {
    const cells = line.split(",");
    if (!header) {
      header = cells;
      continue;
    }
    const value = (column: string): string => cells[header!.indexOf(column)] ?? "";
    const departureSecs = EPOCH_SECS + Number(value("departure")) * 60;
    if (departureSecs < startSecs) continue;
    if (departureSecs >= endSecs) break;
    const aircraft = Number(value("device"));
    const flights = byAircraft.get(aircraft) ?? [];
    flights.push(flight(value, departureSecs, `flight-${flights.length}`));
    byAircraft.set(aircraft, flights);
  }
  return new Map([...byAircraft].sort(([a, of], [b, than]) => than.length - of.length || a - b));
}

function flight(value: (column: string) => string, departureSecs: number, key: string): Flight {
  const arrival = value("arrival");
  const late = value("late");
  return {
    key,
    departureSecs,
    arrivalSecs: arrival === "" ? null : departureSecs + Number(arrival) * 60,
    numeric: Float32Array.from(NUMERIC, ([column]) => (value(column) === "" ? Number.NaN : Number(value(column)))),
    carrier: Number(value("carrier")),
    origin: Number(value("origin")),
    late: late === "" ? null : late === "1",
  };
}

/** Lines of a gzipped text file; stops reading when the caller does. */
async function* lines(path: string): AsyncGenerator<string> {
  const { body } = await loaded(path);
  const text = body!.pipeThrough(new DecompressionStream("gzip")).pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (let part = await text.read(); !part.done; part = await text.read()) {
      const complete = (rest + part.value).split("\n");
      rest = complete.pop() ?? "";
      yield* complete;
    }
    if (rest !== "") yield rest;
  } finally {
    await text.cancel();
  }
}

async function loaded(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} could not be loaded: status ${response.status}`);
  return response;
}
