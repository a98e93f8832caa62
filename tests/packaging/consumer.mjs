// What a user of the package writes; it is copied into an empty folder beside the installed package.
import { FileStore, InferenceSession, Monitor, Tensor } from "driftglass";
import { readFileSync } from "node:fs";

const [spec, model] = [JSON.parse(readFileSync(process.argv[2])), new Uint8Array(readFileSync(process.argv[3]))];
const clock = { week: 2264 };
const now = () => clock.week * spec.measurement.window.length_secs;
const monitor = await Monitor.create({ spec, key: "k", store: new FileStore("device.json"), consent: "granted", now });
const session = await monitor.wrap(await InferenceSession.create(model));
const joined = await monitor.close();
clock.week = 2265;
const numeric = new Tensor("float32", Float32Array.of(12, 18, 733, 64.9, 8, 0, 10, 1012), [1, 8]);
const code = (index) => new Tensor("int64", BigInt64Array.of(index), [1]);
const { probabilities } = await session.run({ numeric, carrier: code(3n), origin: code(1n) });
clock.week = 2266;
const [{ window, report }] = await monitor.close();
const sum = probabilities.data[0] + probabilities.data[1];
console.log(JSON.stringify({ joined, specId: monitor.specId, sum, bytes: report.length, window }));
