// A model of any size, written by hand: one matrix product, x [rows, inner] · w [inner, columns].

const LENGTH_DELIMITED = 2;
const FLOAT = 1;

/** The bytes of the ONNX file; weights are small and differ from each other. */
export function product(rows, inner, columns) {
  const weights = Float32Array.from({ length: inner * columns }, (_, index) => ((index % 251) - 125) / 1000);
  const tensor = [number(1, inner), number(1, columns), number(2, FLOAT), text(8, "w"), bytes(9, Buffer.from(weights.buffer))];
  const node = [text(1, "x"), text(1, "w"), text(2, "y"), text(3, "product"), text(4, "MatMul")];
  const graph = [message(1, node), text(2, "product"), message(5, tensor), message(11, value("x", rows, inner)), message(12, value("y", rows, columns))];
  return Buffer.concat([number(1, 8), message(7, graph), message(8, [text(1, ""), number(2, 13)])]);
}

function value(name, ...dims) {
  const shape = dims.map((size) => message(1, [number(1, size)]));
  return [text(1, name), message(2, [message(1, [number(1, FLOAT), message(2, shape)])])];
}

function message(field, parts) {
  return bytes(field, Buffer.concat(parts));
}

function text(field, string) {
  return bytes(field, Buffer.from(string));
}

function bytes(field, body) {
  return Buffer.concat([varint((field << 3) | LENGTH_DELIMITED), varint(body.length), body]);
}

function number(field, integer) {
  return Buffer.concat([varint(field << 3), varint(integer)]);
}

function varint(integer) {
  const found = [];
  for (let rest = integer; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...found, rest]);
    found.push((rest % 128) | 128);
  }
}
