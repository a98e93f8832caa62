// Writes small ONNX files, so that tests have the models they need: just enough of the protocol buffers that onnx.proto describes.

const varint = (value) => {
  const bytes = [];
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
};
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, value) => {
  const body = Buffer.from(value);
  return Buffer.concat([varint((field << 3) | 2), varint(body.length), body]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts));

const ELEMENTS = { float32: 1, int64: 7 };

/** A constant of the graph. */
const initializer = ({ name, dims, data }) =>
  message(
    5,
    ...dims.map((dim) => number(1, dim)),
    number(2, data instanceof BigInt64Array ? ELEMENTS.int64 : ELEMENTS.float32),
    bytes(8, name),
    bytes(9, Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
  );

/** A named tensor of the graph's edge; a dimension of text is the caller's to choose. */
const value = (field, { name, type = "float32", dims }) => {
  const shape = dims.map((dim) => message(1, typeof dim === "number" ? number(1, dim) : bytes(2, dim)));
  return message(field, bytes(1, name), message(2, message(1, number(1, ELEMENTS[type]), message(2, ...shape))));
};

const attribute = ([name, ints]) =>
  Array.isArray(ints)
    ? message(5, bytes(1, name), ...ints.map((int) => number(8, int)), number(20, 7))
    : message(5, bytes(1, name), number(3, ints), number(20, 2));

const node = ({ op, inputs, outputs, attributes = {} }) =>
  message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(4, op),
    ...Object.entries(attributes).map(attribute),
  );

/** The bytes of a model. */
export function onnx({ nodes, inputs, outputs, initializers = [] }) {
  const graph = message(
    7,
    ...nodes.map(node),
    bytes(2, "graph"),
    ...initializers.map(initializer),
    ...inputs.map((input) => value(11, input)),
    ...outputs.map((output) => value(12, output)),
  );
  return Buffer.concat([number(1, 8), message(8, bytes(1, ""), number(2, 17)), graph]);
}

/** `layers` dense layers of `width` × `width`, each followed by Relu: 4 · width² bytes a layer. */
export function dense(width, layers) {
  const weights = Float32Array.from({ length: width * width }, (_, at) => (((at * 2654435761) % 1000) - 500) / (500 * width));
  const names = Array.from({ length: layers + 1 }, (_, layer) => (layer === 0 ? "x" : layer === layers ? "y" : `h${layer}`));
  return onnx({
    inputs: [{ name: "x", dims: ["N", width] }],
    outputs: [{ name: "y", dims: ["N", width] }],
    initializers: Array.from({ length: layers }, (_, layer) => ({ name: `w${layer}`, dims: [width, width], data: weights })),
    nodes: Array.from({ length: layers }, (_, layer) => [
      { op: "MatMul", inputs: [names[layer], `w${layer}`], outputs: [`m${layer}`] },
      { op: "Relu", inputs: [`m${layer}`], outputs: [names[layer + 1]] },
    ]).flat(),
  });
}
