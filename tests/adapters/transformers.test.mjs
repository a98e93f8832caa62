// `wrap` around pipelines of transformers.js. Its models come from a hub; these are made here, as small as they can be.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { env, pipeline } from "@huggingface/transformers";

import { onnx } from "./onnx.mjs";
import { category, FAILED, numeric, outcome, pair, watching } from "./watching.mjs";

const VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "film"];
/** What each word says for [negative, positive]. */
const EMBEDDING = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -6, 6, 6, -6, 0, 0];

const folder = mkdtempSync(join(tmpdir(), "driftglass-"));
after(() => rmSync(folder, { recursive: true }));
env.allowRemoteModels = false;
env.localModelPath = folder;

/** A model that adds up what its words say. */
function model(name, output, nodes) {
  const write = (path, content) => {
    mkdirSync(join(folder, name, path, ".."), { recursive: true });
    writeFileSync(join(folder, name, path), typeof content === "object" && !Buffer.isBuffer(content) ? JSON.stringify(content) : content);
  };
  write("config.json", { model_type: "bert", id2label: { 0: "NEGATIVE", 1: "POSITIVE" }, hidden_size: 2, "transformers.js_config": { dtype: "fp32" } });
  write("tokenizer_config.json", { tokenizer_class: "BertTokenizer", model_max_length: 32 });
  write("tokenizer.json", {
    version: "1.0",
    added_tokens: [],
    normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: { type: "WordPiece", prefix: "##", cleanup: true },
    model: {
      type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100,
      vocab: Object.fromEntries(VOCABULARY.map((word, index) => [word, index])),
    },
  });
  write("onnx/model.onnx", onnx({
    inputs: [{ name: "input_ids", type: "int64", dims: ["N", "T"] }],
    outputs: [output],
    initializers: [{ name: "words", dims: [8, 2], data: Float32Array.from(EMBEDDING) }],
    nodes: [{ op: "Gather", inputs: ["words", "input_ids"], outputs: [nodes.length > 0 ? "rows" : output.name] }, ...nodes],
  }));
}

model("classifier", { name: "logits", dims: ["N", 2] }, [
  { op: "ReduceMean", inputs: ["rows"], outputs: ["logits"], attributes: { axes: [1], keepdims: 0 } },
]);
model("embedder", { name: "last_hidden_state", dims: ["N", "T", 2] }, []);

const classify = await pipeline("text-classification", "classifier");
const METRICS = {
  prediction: [{ kind: "output", tensor: "label", index: 0 }, category("NEGATIVE", "POSITIVE")],
  confidence: [{ kind: "max", tensor: "score" }, numeric(0.9)],
  length: [{ kind: "input", tensor: "length", index: 0 }, numeric(5, 10)],
  failed: FAILED,
  outcome: outcome("NEGATIVE", "POSITIVE"),
  joined: pair,
};

test("texts are counted by length, answers by label and score", async () => {
  const { monitor, counts, sha256 } = await watching(METRICS);
  const watched = await monitor.wrap(classify, { sha256 });
  assert.deepEqual(await watched("good", { key: "a" }), await classify("good"));
  assert.deepEqual(await watched("a bad film", { top_k: 2 }), await classify("a bad film", { top_k: 2 }));
  monitor.outcome("a", "NEGATIVE");
  assert.deepEqual(await counts(), {
    prediction: [1, 1], confidence: [0, 2], length: [1, 1, 0], failed: [2, 0], outcome: [1, 0], joined: [0, 0, 1, 0],
  });
});

test("a list of texts is a batch", async () => {
  const { monitor, counts, sha256 } = await watching(METRICS);
  const watched = await monitor.wrap(classify, { sha256 });
  const texts = ["good", "bad", "film"];
  assert.deepEqual(await watched(texts, { key: ["a", "b"] }), await classify(texts));
  assert.deepEqual(await watched(texts, { top_k: 2 }), await classify(texts, { top_k: 2 }));
  monitor.outcome("b", "NEGATIVE");
  const { prediction, length, joined, confidence } = await counts();
  assert.equal(prediction[0] + prediction[1], 6);
  assert.deepEqual([length, confidence, joined], [[6, 0, 0], [2, 4], [1, 0, 0, 0]]);
});

test("a failure is counted, and thrown as it was", async () => {
  const { monitor, counts, sha256 } = await watching(METRICS);
  const watched = await monitor.wrap(classify, { sha256 });
  const plain = await classify(undefined).catch((error) => error);
  await assert.rejects(watched(undefined), { name: plain.name, message: plain.message });
  assert.deepEqual((await counts()).failed, [0, 1]);
});

test("members of a pipeline stay within reach", async () => {
  const { monitor, sha256 } = await watching(METRICS);
  const watched = await monitor.wrap(classify, { sha256 });
  assert.equal(watched.task, "text-classification");
  assert.equal(watched.tokenizer, classify.tokenizer);
  assert.deepEqual(Object.keys(watched.tokenizer("good")), ["input_ids", "attention_mask"]);
  assert.equal(typeof watched.dispose, "function");
});

test("embeddings fall into the cells of a codebook", async () => {
  const vectors = [[-6, 6], [6, -6]];
  const cell = { kind: "codebook", tensor: "embedding", of: "output", vectors };
  const { monitor, counts, sha256 } = await watching({ cell: [cell, category("near good", "near bad")] });
  const watched = await monitor.wrap(await pipeline("feature-extraction", "embedder"), { sha256 });
  await watched("good", { pooling: "mean" });
  const { dims } = await watched(["bad", "bad", "good"], { pooling: "mean" });
  assert.deepEqual(dims, [3, 2]);
  assert.deepEqual(await counts(), { cell: [2, 2] });
});
