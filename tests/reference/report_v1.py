"""Reference implementation of report format 1, and the maker of its test vectors.

Written from docs/report-format.md and docs/spec.md with the standard library alone; it shares no code with the crate.
Mechanisms are written with branches on lists and numbers, without masks, tables or tricks, so that they can be read
next to the document. They are not fit for devices: their time depends on the secret.

Reproduce the committed file, byte for byte, from the root of the workspace:

    python3 tests/reference/report_v1.py > tests/vectors/report-v1.json

Fields of the file (`hex` is lower-case hexadecimal):

specs[]
    document     the spec; a reader passes it to the parser as JSON text
    id           spec id, hex
    payload_len  P
    samples[]    events, one for each cell of the metric that all questions ask about, in order; for a metric of words,
                 some words. {"input": value or null} is element 0 of the input tensor "x"; with "outcome", the outcome
                 that follows; null for a cell that nothing finite reaches
good[]
    spec         index into specs
    secret       device secret, hex
    window, segment (index), canary (arm)
    now_secs     a moment at which the window is due
    state        device state before the answer, hex (layout: src/privacy/state.rs)
    profile      how often each sample occurred, or null: nothing was recorded in the window
    seed         seed of the entropy stream, hex; the stream starts anew for each case
    question     expected index
    true_symbol  expected true symbol
    output       expected number of the payload, decimal
    supports     expected symbols that the report supports, in order; null for a mechanism that shares are not counted
                 from
    drawn        bytes of entropy that are consumed
    report       expected report, hex
bad[]            name, spec, bytes (hex) of one report, and the error: length, magic, version, arm, or payload
                 (readable as a report; its payload is no output of the question of the spec, or has another length)
bodies.good[]    reports (hex) and the body that frames them
bodies.bad[]     name and bytes of a body that must be refused whole
"""

import hashlib
import hmac
import itertools
import json
import math
import sys

# --- RFC 8785 ---------------------------------------------------------------------------------------------------------


def canonical(value):
    """The canonical JSON text of a value."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return canonical_number(float(value))
    if isinstance(value, str):
        return canonical_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(canonical_string(name) + ":" + canonical(value[name]) for name in names) + "}"


def canonical_string(text):
    short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    one = lambda c: short.get(c) or (f"\\u{ord(c):04x}" if c < " " else c)
    return '"' + "".join(map(one, text)) + '"'


def canonical_number(number):
    """ECMA-262, Number::toString: the shortest digits s and the n with number = 0.s * 10^n."""
    if number == 0:
        return "0"
    if number < 0:
        return "-" + canonical_number(-number)
    mantissa, exponent = f"{number!r}e0".split("e")[:2]
    whole, _, fraction = mantissa.partition(".")
    n = len(whole) + int(exponent)
    digits = whole + fraction
    n -= len(digits) - len(digits.lstrip("0"))
    s = digits.strip("0")
    k = len(s)
    if k <= n <= 21:
        return s + "0" * (n - k)
    if 0 < n <= 21:
        return s[:n] + "." + s[n:]
    if -6 < n <= 0:
        return "0." + "0" * -n + s
    point = s if k == 1 else s[0] + "." + s[1:]
    return f"{point}e{'+' if n > 0 else '-'}{abs(n - 1)}"


def check_numbers():
    """Samples of RFC 8785, appendix B, and of ECMA-262."""
    samples = {
        0.0: "0", -0.0: "0", 5e-324: "5e-324", -5e-324: "-5e-324", 1.7976931348623157e308: "1.7976931348623157e+308",
        9007199254740992.0: "9007199254740992", 295147905179352830000.0: "295147905179352830000",
        9.999999999999997e22: "9.999999999999997e+22", 1e23: "1e+23", 1.0000000000000001e23: "1.0000000000000001e+23",
        999999999999999700000.0: "999999999999999700000", 999999999999999900000.0: "999999999999999900000",
        1e21: "1e+21", 9.999999999999997e-7: "9.999999999999997e-7", 0.000001: "0.000001",
        333333333.3333332: "333333333.3333332", 333333333.33333325: "333333333.33333325",
        333333333.3333333: "333333333.3333333", -0.0000033333333333333333: "-0.0000033333333333333333",
        1424953923781206.2: "1424953923781206.2", 10.0: "10", 1e-7: "1e-7", 0.5: "0.5", 123.25: "123.25",
    }
    for number, text in samples.items():
        assert canonical_number(number) == text, (number, canonical_number(number))


# --- The spec ---------------------------------------------------------------------------------------------------------


def spec_id(spec):
    measured = {"app": spec["app"], "measurement": spec["measurement"]}
    return hashlib.sha256(canonical(measured).encode()).digest()[:16]


def app_id(spec):
    return hashlib.sha256(b"driftglass app v1" + spec["app"].encode()).digest()[:16]


def metric_named(spec, name):
    return next(metric for metric in spec["measurement"]["metrics"] if metric["name"] == name)


def cell_count(spec, metric):
    source = metric["source"]
    if source["kind"] == "pair":
        sides = [metric_named(spec, source[side]) for side in ("prediction", "outcome")]
        return cell_count(spec, sides[0]) * cell_count(spec, sides[1])
    cells = metric["cells"]
    base = len(cells["edges"]) + 1 if cells["kind"] == "numeric" else len(cells["labels"])
    return base + cells.get("other", False) + cells.get("missing", False)


def domain_size(spec, question):
    kind = question["kind"]
    if kind == "threshold-bit":
        return 3
    if kind == "anchored-bit":
        return 2
    if kind == "event-count":
        return question["max_count"] + 1
    if kind == "open-vocabulary":
        return 2**32
    return cell_count(spec, metric_named(spec, question["metric"])) + (kind == "sampled-event")


def bits_for(count):
    """The least number of bits that holds count - 1."""
    return (count - 1).bit_length()


def outputs(spec, question):
    """The number of outputs of a question's randomizer."""
    k, mechanism = domain_size(spec, question), question["randomizer"]
    name = mechanism["mechanism"]
    if name in ("k-ary", "discrete-laplace"):
        return k
    if name == "subset-selection":
        return math.comb(k, mechanism["subset_size"])
    if name == "optimized-unary":
        return 2**k
    if name == "local-hashing":
        return mechanism["hash_range"]
    if name in ("hadamard", "duchi"):
        return 2
    if name == "projective-geometry":
        return points(mechanism["field_size"], mechanism["dimension"])
    if name == "square-wave":
        return k + 4 * mechanism["half_width"]
    if name in ("piecewise", "hybrid"):
        return k + 2 * mechanism["half_width"] + (2 if name == "hybrid" else 0)
    assert name == "memoized-hashing"
    return mechanism["cohorts"] * mechanism["hash_range"]


def payload_len(spec):
    return max(-(-bits_for(outputs(spec, question)) // 8) for question in spec["measurement"]["questions"])


# --- Identity ---------------------------------------------------------------------------------------------------------


def prf(secret, *parts):
    return hmac.new(secret, b"".join(parts), hashlib.sha256).digest()


def u16(number):
    return number.to_bytes(2, "big")


def u32(number):
    return number.to_bytes(4, "big")


def report_id(secret, identity, window, question):
    return prf(secret, b"driftglass report id v1", identity, u32(window), u16(question))[:16]


def choose_question(secret, spec, window):
    u = int.from_bytes(prf(secret, b"driftglass question v1", spec_id(spec), u32(window))[:8], "big")
    weights = [question["weight"] for question in spec["measurement"]["questions"]]
    point = u * sum(weights) // 2**64
    return next(index for index, cumulative in enumerate(itertools.accumulate(weights)) if cumulative > point)


# --- Entropy ----------------------------------------------------------------------------------------------------------


class Stream:
    """SHA-256(seed || counter) for counter = 0, 1, ..."""

    def __init__(self, seed):
        self.seed, self.counter, self.buffer, self.drawn, self.redrawn = seed, 0, b"", 0, 0
        self.redrawn_words = 0

    def take(self, count):
        while len(self.buffer) < count:
            self.buffer += hashlib.sha256(self.seed + self.counter.to_bytes(8, "big")).digest()
            self.counter += 1
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        self.drawn += count
        return taken

    def below(self, bound):
        if bound == 1:
            return 0
        bits = bits_for(bound)
        while True:
            value = int.from_bytes(self.take(-(-bits // 8)), "big") % 2**bits
            if value < bound:
                return value
            self.redrawn += 1

    def word_below(self, bound, word=None):
        """From words of four bytes; the first may be drawn already."""
        while True:
            word = self.take(4) if word is None else word
            product = int.from_bytes(word, "big") * bound
            if product % 2**32 >= 2**32 % bound:
                return product >> 32
            word = None
            self.redrawn_words += 1


class Memo(Stream):
    """H(key, label || index || 0) || H(key, label || index || 1) || ..."""

    def __init__(self, key, label, index):
        super().__init__(b"")
        self.key, self.start = key, label + u32(index)

    def take(self, count):
        while len(self.buffer) < count:
            self.buffer += prf(self.key, self.start, u32(self.counter))
            self.counter += 1
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken


# --- The answer -------------------------------------------------------------------------------------------------------


def drawn_cell(counts, d):
    """The cell of event number floor(d m / 2^64) of the m events, in the order of the cells; None without events."""
    event = d * sum(counts) // 2**64
    return next((cell for cell, total in enumerate(itertools.accumulate(counts)) if total > event), None)


def word(text):
    return int.from_bytes(hashlib.sha256(b"driftglass word v1" + text.encode()).digest()[:4], "big")


def rounded_mean(total, count, d):
    """floor(total / count), or one more with probability equal to the remainder's share."""
    return total // count + (d * count // 2**64 < total % count)


EXACT_EVENTS = 127
ONE = 2**62


def row_of(coin, cells):
    return 1 + int.from_bytes(coin[:8], "big") % (2 ** max(1, bits_for(cells)) - 1)


def binomial(events, share):
    """The law of the number of successes, in units of 2^-62 with roundings down."""
    law = [ONE]
    for _ in range(events):
        succeed = [mass * share // ONE for mass in law] + [0]
        fail = [mass * (ONE - share) // ONE for mass in law] + [0]
        law = [fail[count] + (succeed[count - 1] if count else 0) for count in range(len(fail))]
    return law


def anchored_bit(counts, row, baseline, d):
    """Whether the smoothed count of the half-space reaches its median under the baseline."""
    inside = lambda numbers: sum(number for cell, number in enumerate(numbers) if parity(row & cell))
    events, share = sum(counts), inside(baseline) * ONE // sum(baseline)
    if events > EXACT_EVENTS:
        threshold = events * 4 * share + (4 * share + 2**64) // 3
    else:
        law = binomial(events, share)
        half, below = sum(law) // 2, 0
        for count, mass in enumerate(law):
            if mass > 0 and below + mass >= half:
                threshold = count * 2**64 + (half - below) * 2**64 // mass
                break
            below += mass
    return int(inside(counts) * 2**64 + d >= threshold)


def true_symbol(spec, question, samples, profile, coin, d):
    kind, k = question["kind"], domain_size(spec, question)
    counts = profile if profile is not None else [0] * len(samples)
    if kind == "open-vocabulary":
        words = sorted((word(sample["input"]), count) for sample, count in zip(samples, counts) if count > 0)
        place = drawn_cell([count for _, count in words], d)
        return word("") if place is None else words[place][0]
    if kind == "anchored-bit":
        return anchored_bit(counts, row_of(coin, len(counts)), question["baseline"], d)
    if kind == "mean":
        if sum(counts) == 0:
            return rounded_mean(k - 1, 2, d)
        return rounded_mean(sum(cell * count for cell, count in enumerate(counts)), sum(counts), d)
    if kind in ("threshold-bit", "event-count"):
        edges = metric_named(spec, question["metric"])["cells"]["edges"]
        below = edges.index(question["threshold"]) + 1
        counts = [sum(counts[:below]), sum(counts[below : len(edges) + 1])]
    if kind == "event-count":
        return min(counts[1], k - 1)
    cell = drawn_cell(counts, d)
    return k - 1 if cell is None else cell


# --- The mechanisms: each gives the number of its output --------------------------------------------------------------


def respond(k, weights, symbol, stream):
    """k-ary randomized response: the symbol itself, or one of the others in increasing order."""
    of_true, of_false = weights
    keep = stream.below(of_true + (k - 1) * of_false) < of_true
    other = stream.word_below(k - 1)
    return symbol if keep else other + (other >= symbol)


def subset_of(k, size, weights, symbol, stream):
    of_true, of_false = weights
    keep = stream.below(size * of_true + (k - size) * of_false) < size * of_true
    places = size - keep
    subset = [symbol] if keep else []
    for start in range(0, k - 1, 64):
        numbers = range(start, min(start + 64, k - 1))
        # The words of up to 64 numbers are drawn together; a word in place of a rejected one comes after them.
        words = stream.take(4 * len(numbers))
        for number in numbers:
            at = 4 * (number - start)
            if stream.word_below(k - 1 - number, words[at : at + 4]) < places:
                places -= 1
                subset.append(k - 1 if number == symbol else number)
    assert len(set(subset)) == size
    return sorted(subset)


def unary(k, weights, symbol, stream):
    of_true, of_false = weights
    fair = stream.take(1)[0] & 1
    set_bits = 0
    for place in range(k):
        flipped = stream.below(of_true + of_false) < of_false
        set_bits |= (fair if place == symbol else int(flipped)) << place
    return set_bits


def bucket(seed, size, symbol):
    """The 15 high bits of a v^2 + b v + c mod 2^32, cut into parts."""
    a, b, c = (int.from_bytes(seed[at : at + 4], "big") for at in (0, 4, 8))
    value = (a * symbol**2 + b * symbol + c) % 2**32
    return (value >> 17) * size >> 15


def level(coin):
    return coin[15] % 4


def prefix_bucket(coin, size, prefix):
    a, b = int.from_bytes(coin[:8], "big"), int.from_bytes(coin[8:], "big")
    return ((a * prefix + b) % 2**64 >> 32) * size >> 32


def hadamard_row(k, coin):
    return int.from_bytes(coin[:2], "big") % 2 ** bits_for(k)


def parity(number):
    return bin(number).count("1") % 2


# Irreducible polynomials of degree 1 to 10, bit i being the coefficient of x^i.
IRREDUCIBLE = [0x3, 0x7, 0xB, 0x13, 0x25, 0x43, 0x83, 0x11B, 0x211, 0x409]


def field_add(q, a, b):
    return a ^ b if q & (q - 1) == 0 else (a + b) % q


def field_multiply(q, a, b):
    if q & (q - 1):
        return a * b % q
    degree = q.bit_length() - 1
    product = 0
    for bit in range(degree):
        if b >> bit & 1:
            product ^= a << bit
    for bit in reversed(range(degree, 2 * degree)):
        if product >> bit & 1:
            product ^= IRREDUCIBLE[degree - 1] << (bit - degree)
    return product


def points(q, t):
    return (q**t - 1) // (q - 1)


def direction(q, t, index):
    """(y_1, ..., y_(t-1)) with this index, the last nonzero coordinate being 1."""
    last = 0
    while index >= q**last:
        index -= q**last
        last += 1
    coordinates = [index // q**place % q for place in range(last)] + [1]
    return coordinates + [0] * (t - 1 - len(coordinates))


def meeting(q, t, symbol, index):
    """The y_0 with which this direction lies on the symbol's hyperplane."""
    total = 0
    for place, coordinate in enumerate(direction(q, t, index)):
        total = field_add(q, total, field_multiply(q, symbol // q**place % q, coordinate))
    return next(y for y in range(q) if field_add(q, total, y) == 0)


def geometry_point(q, t, weights, symbol, stream):
    of_true, of_false = weights
    c = points(q, t - 1)
    u = stream.below(of_false + c * (of_true + (q - 1) * of_false))
    index = stream.word_below(c)
    other = 1 + stream.word_below(q - 1)
    if u < of_false:
        return 0
    offset = 0 if u < of_false + c * of_true else other
    return 1 + q * index + field_add(q, meeting(q, t, symbol, index), offset)


def window_place(k, half_width, weights, place, stream):
    of_true, of_false = weights
    width = 2 * half_width + 1
    near = stream.below(width * of_true + (k - 1) * of_false) < width * of_true
    inside = place + stream.word_below(width)
    outside = stream.word_below(k - 1)
    return inside if near else outside + (width if outside >= place else 0)


def duchi_bit(k, weights, place, stream):
    of_true, of_false = weights
    ones = place * of_true + (k - 1 - place) * of_false
    return int(stream.below((k - 1) * (of_true + of_false)) < ones)


def laplace_rows(k, weights):
    of_true, of_false = weights
    inner = [2**20]
    while len(inner) < k - 1:
        inner.insert(0, inner[0] * of_true // of_false)
    ends = [-(-(2**20 * of_false) // (of_true - of_false))]
    for weight in reversed(inner):
        ends.insert(0, weight + ends[0])
    one = lambda count, report: (ends if report in (0, k - 1) else inner)[abs(count - report)]
    return [[one(count, report) for report in range(k)] for count in range(k)]


def laplace_report(k, weights, count, stream):
    rows = laplace_rows(k, weights)
    assert len({sum(row) for row in rows}) == 1
    draw = stream.below(sum(rows[0]))
    return next(report for report, total in enumerate(itertools.accumulate(rows[count])) if draw < total)


def cohort_seed(cohort):
    return hashlib.sha256(b"driftglass cohort hash v1" + u32(cohort)).digest()


def privatize(spec, question, symbol, coin, memo_key, stream):
    """The number of the output that hides a symbol."""
    k, mechanism = domain_size(spec, question), question["randomizer"]
    name, weights = mechanism["mechanism"], (mechanism["weight_true"], mechanism["weight_false"])
    if name == "k-ary":
        return respond(k, weights, symbol, stream)
    if name == "subset-selection":
        return rank(subset_of(k, mechanism["subset_size"], weights, symbol, stream))
    if name == "optimized-unary":
        return unary(k, weights, symbol, stream)
    if name == "local-hashing" and question["kind"] == "open-vocabulary":
        prefix = symbol >> 8 * (3 - level(coin))
        return respond(
            mechanism["hash_range"], weights, prefix_bucket(coin, mechanism["hash_range"], prefix), stream
        )
    if name == "local-hashing":
        return respond(mechanism["hash_range"], weights, bucket(coin, mechanism["hash_range"], symbol), stream)
    if name == "hadamard":
        return respond(2, weights, parity(symbol & hadamard_row(k, coin)), stream)
    if name == "projective-geometry":
        return geometry_point(mechanism["field_size"], mechanism["dimension"], weights, symbol, stream)
    if name == "square-wave":
        gap = 2 * mechanism["half_width"]
        return window_place(
            k + gap, mechanism["half_width"], weights, symbol + (gap if symbol == k - 1 else 0), stream
        )
    if name == "piecewise":
        return window_place(k, mechanism["half_width"], weights, symbol, stream)
    if name == "duchi":
        return duchi_bit(k, weights, symbol, stream)
    if name == "hybrid":
        windowed = stream.word_below(65536) < mechanism["window_share"]
        place = window_place(k, mechanism["half_width"], weights, symbol, stream)
        bit = k + 2 * mechanism["half_width"] + duchi_bit(k, weights, symbol, stream)
        return place if windowed else bit
    if name == "discrete-laplace":
        return laplace_report(k, weights, symbol, stream)
    assert name == "memoized-hashing"
    size = mechanism["hash_range"]
    cohort = Memo(memo_key, b"cohort", 0).word_below(mechanism["cohorts"])
    seen = bucket(cohort_seed(cohort), size, symbol)
    memoized = respond(size, weights, seen, Memo(memo_key, b"answer", seen))
    fresh = (mechanism["fresh_weight_true"], mechanism["fresh_weight_false"])
    return cohort * size + respond(size, fresh, memoized, stream)


def supports(spec, question, coin, output):
    """The symbols that an output supports, or None."""
    if question["kind"] == "anchored-bit":
        return None
    k, mechanism = domain_size(spec, question), question["randomizer"]
    name = mechanism["mechanism"]
    if name == "k-ary":
        return [output]
    if name == "subset-selection":
        return unrank(output, mechanism["subset_size"])
    if name == "optimized-unary":
        return [place for place in range(k) if output >> place & 1]
    if name == "local-hashing" and question["kind"] != "open-vocabulary":
        return [v for v in range(k) if bucket(coin, mechanism["hash_range"], v) == output]
    if name == "hadamard":
        return [v for v in range(k) if parity(v & hadamard_row(k, coin)) == output]
    if name == "projective-geometry":
        q, t = mechanism["field_size"], mechanism["dimension"]
        index, first = divmod(output - 1, q)
        return [v for v in range(k) if output > 0 and meeting(q, t, v, index) == first]
    if name == "memoized-hashing":
        cohort, seen = divmod(output, mechanism["hash_range"])
        return [v for v in range(k) if bucket(cohort_seed(cohort), mechanism["hash_range"], v) == seen]
    return None


def rank(subset):
    return sum(math.comb(symbol, place) for place, symbol in enumerate(sorted(subset), 1))


def unrank(number, size):
    """The subset of this size whose rank is the number: largest member first, each as large as it can be."""
    subset = []
    for place in range(size, 0, -1):
        symbol = place - 1
        while math.comb(symbol + 1, place) <= number:
            symbol += 1
        number -= math.comb(symbol, place)
        subset.append(symbol)
    return sorted(subset)


def encode(spec, canary, window, question, segment, identity, number):
    head = b"DG" + bytes([1, int(canary)]) + spec_id(spec) + u32(window) + u16(question) + u16(segment) + identity
    return head + number.to_bytes(payload_len(spec), "big")


def body(reports):
    return b"".join(u16(len(report)) + report for report in reports)


# --- The vectors ------------------------------------------------------------------------------------------------------


def floor_exp(micronats):
    """floor(e^epsilon 2^32) by exact rational arithmetic: the series of e^x, far past 2^-80."""
    term = total = 2**200
    for n in range(1, 400):
        term = term * micronats // (n * 10**6)
        total += term
    return total >> 168


def weighted(micronats, mechanism, **parameters):
    weights = {"weight_true": floor_exp(micronats), "weight_false": 2**32}
    return {"mechanism": mechanism, **parameters, **weights}


def question(name, metric, micronats, randomizer, kind="sampled-event", **more):
    rest = {"weight": 1, "epsilon_micronats": micronats, "randomizer": randomizer}
    return {"name": name, "metric": metric, "kind": kind, **more, **rest}


def memoized(micronats, size, cohorts, epoch):
    """Each bucket is memoized once, so the first round has a part of the budget."""
    fresh = {"fresh_weight_true": floor_exp(micronats), "fresh_weight_false": 2**32}
    return weighted(
        micronats // size, "memoized-hashing", hash_range=size, cohorts=cohorts, epoch_windows=epoch, **fresh
    )


def spec_with(app, length_secs, segments, metrics, questions):
    return {
        "spec_version": 1,
        "app": app,
        "description": "A spec of the test vectors.",
        "models": [],
        "measurement": {
            "window": {"length_secs": length_secs, "grace_secs": 3600, "join": "next_window"},
            "privacy": {
                "unit": "device-window",
                "answers_per_window": 1,
                "caps": [{"period_secs": 31536000, "epsilon_micronats": 1000000000}],
            },
            "outcome": {"horizon_secs": 86400, "max_pending": 16},
            "segments": segments,
            "metrics": metrics,
            "questions": questions,
        },
        "upload": {"endpoint": "https://example.org/v1/reports", "max_body_bytes": 49152},
        "detection": {
            "false_alarms_per_year": 1,
            "span_windows": 1,
            "deltas": {question["name"]: 0.05 for question in questions},
        },
    }


def category_spec():
    """k = 17: every frequency oracle. Labels that JSON must escape and labels that it must not."""
    labels = ['"quoted"', "back\\slash", "tab\there", "line\nbreak", "é", "€", "😀", "\u0001", "/", "<&>"]
    labels += ["k", "l", "m", "n", "o", "p"]
    metric = {
        "name": "kind_of_thing",
        "source": {"kind": "input", "tensor": "x", "index": 0},
        "cells": {"kind": "category", "labels": labels},
    }
    one = lambda name, micronats, *rest, **more: question(
        name, "kind_of_thing", micronats, weighted(micronats, *rest, **more)
    )
    questions = [
        one("subset", 1000000, "subset-selection", subset_size=5),
        one("response", 3000000, "k-ary"),
        one("unary", 1000000, "optimized-unary"),
        one("hashing", 1000000, "local-hashing", hash_range=4),
        one("hadamard", 500000, "hadamard"),
        one("prime", 1000000, "projective-geometry", field_size=3, dimension=4),
        one("power", 1500000, "projective-geometry", field_size=8, dimension=3),
        question("memoized", "kind_of_thing", 3000000, memoized(3000000, 3, 100, 4)),
    ]
    samples = [{"input": label} for label in labels]
    return spec_with("vectors-category", 604800, ["all", "größer", "b"], [metric], questions), samples


def numeric_spec():
    """Questions of different payload length about 63 edges that are hard to write."""
    edges = [-1.7976931348623157e308, -1e21, -123456789012345680000, -333333333.33333325, -1, -0.1, -1e-7, -5e-324, 0.0]
    edges += [5e-324, 2.2250738585072014e-308, 1e-27, 9.999999999999997e-7, 0.000001, 0.002, 0.1, 0.30000000000000004]
    edges += [1 / 3, 0.5, 1, 1.5, 2.0, 4.35, 4.5, 10.0, 99.99, 100, 1e3, 1234.5678, 1e6, 12345678.9, 333333333.3333333]
    edges += [4294967296, 1424953923781206.2, 9007199254740991, 9007199254740992, 999999999999999700000.0]
    edges += [1e21, 1.5e21, 9.999999999999997e22, 1e23, 1.0000000000000001e23, 6.02214076e23, 1.5e300]
    edges += [2.5 * 10.0**power for power in range(301, 308)]
    edges += [1.0e308, 1.7976931348623157e308]
    edges += [20 + 3 * step for step in range(63 - len(edges))]
    edges.sort()
    assert len(edges) == 63 and len(set(map(float, edges))) == 63
    metric = {
        "name": "size",
        "unit": "µm",
        "source": {"kind": "input", "tensor": "x", "index": 0},
        "cells": {"kind": "numeric", "edges": edges, "missing": True},
    }
    bit = {"kind": "threshold-bit", "threshold": 4.35}
    questions = [
        question("small", "size", 2000000, weighted(2000000, "subset-selection", subset_size=1), **bit),
        question("small_again", "size", 2000000, weighted(2000000, "k-ary"), **bit),
        question("small_for_long", "size", 2000000, memoized(2000000, 2, 4096, 520), **bit),
        question("size", "size", 2000000, weighted(2000000, "subset-selection", subset_size=7)),
        question("wave", "size", 1000000, weighted(1000000, "square-wave", half_width=16)),
    ]
    # On an edge, which belongs to the cell below it; the last cell is open above.
    samples = [{"input": edge} for edge in edges] + [{"input": None}, {"input": None}]
    # Nothing finite lies above the last edge: that cell stays empty.
    samples[63] = None
    return spec_with("vectors-numeric", 3600, ["all"], [metric], questions), samples


def grid_spec():
    """Means and counts."""
    edges = [-4.5, -2, 0, 0.25, 0.5, 1, 2, 4, 8, 16, 32]
    metric = {
        "name": "amount",
        "source": {"kind": "input", "tensor": "x", "index": 0},
        "cells": {"kind": "numeric", "edges": edges},
    }
    mean = lambda name, micronats, *rest, **more: question(
        name, "amount", micronats, weighted(micronats, *rest, **more), "mean"
    )
    questions = [
        mean("bit", 1000000, "duchi"),
        mean("piece", 2000000, "piecewise", half_width=3),
        mean("point", 4000000, "piecewise", half_width=0),
        mean("mixture", 1500000, "hybrid", half_width=2, window_share=34_500),
        question("wave", "amount", 4000000, weighted(4000000, "square-wave", half_width=1)),
        question(
            "large", "amount", 1000000, weighted(1000000, "discrete-laplace"), "event-count",
            threshold=1, max_count=19, event_level=True,
        ),
        question(
            "positive", "amount", 2000000, weighted(2000000, "discrete-laplace"), "event-count",
            threshold=0, max_count=1, event_level=True,
        ),
    ]
    samples = [{"input": edge} for edge in edges] + [{"input": 1000}]
    return spec_with("vectors-grid", 86400, ["all"], [metric], questions), samples


def wide_spec():
    """k = 256: payloads of 32 bytes, all bits of which are used."""
    edges = list(range(-100, 154))
    metric = {
        "name": "many",
        "source": {"kind": "input", "tensor": "x", "index": 0},
        "cells": {"kind": "numeric", "edges": edges},
    }
    one = lambda name, micronats, *rest, **more: question(
        name, "many", micronats, weighted(micronats, *rest, **more)
    )
    questions = [
        one("subset", 500000, "subset-selection", subset_size=97),
        one("unary", 2000000, "optimized-unary"),
        one("geometry", 500000, "projective-geometry", field_size=2, dimension=9),
        one("plane", 3000000, "projective-geometry", field_size=17, dimension=3),
        one("hashing", 6000000, "local-hashing", hash_range=404),
        one("hadamard", 8000000, "hadamard"),
    ]
    samples = [{"input": edge} for edge in edges] + [{"input": 1000}]
    return spec_with("vectors-wide", 86400, ["all"], [metric], questions), samples


def words_spec():
    """An open vocabulary."""
    metric = {
        "name": "query",
        "source": {"kind": "input", "tensor": "x", "index": 0},
        "cells": {"kind": "text", "max_words": 64},
    }
    questions = [
        question("words", "query", 2000000, weighted(2000000, "local-hashing", hash_range=8), "open-vocabulary"),
        question("names", "query", 6000000, weighted(6000000, "local-hashing", hash_range=1000), "open-vocabulary"),
    ]
    samples = [{"input": text} for text in ("late", "Late", "größer", "😀", " ", "a longer text, with a comma", "x")]
    return spec_with("vectors-words", 86400, ["all"], [metric], questions), samples


def anchored_spec():
    """Half-spaces of 20 cells, one of which the reference never saw."""
    cells = {"kind": "numeric", "edges": list(range(19))}
    metrics = [{"name": "place", "source": {"kind": "input", "tensor": "x", "index": 0}, "cells": cells}]
    asked = lambda name, micronats, baseline: question(
        name, "place", micronats, weighted(micronats, "k-ary"), "anchored-bit", baseline=baseline
    )
    questions = [
        asked("even", 1000000, [1] * 20),
        asked("uneven", 3000000, [1000000 // (place + 1) for place in range(19)] + [0]),
    ]
    samples = [{"input": place} for place in range(20)]
    return spec_with("vectors-anchored", 86400, ["all"], metrics, questions), samples


def pair_spec():
    """k = 127, with payloads of 15 bytes."""
    metrics = [
        {
            "name": "guess",
            "source": {"kind": "input", "tensor": "x", "index": 0},
            "cells": {"kind": "category", "labels": [f"class {n}" for n in range(61)], "other": True, "missing": True},
        },
        {
            "name": "truth",
            "source": {"kind": "outcome"},
            "cells": {"kind": "category", "labels": ["no", "yes"]},
        },
        {"name": "both", "source": {"kind": "pair", "prediction": "guess", "outcome": "truth"}},
    ]
    guesses = [f"class {n}" for n in range(61)] + ["new", None]
    samples = [{"input": guess, "outcome": outcome} for guess in guesses for outcome in ("no", "yes")]
    questions = [question("both", "both", 500000, weighted(500000, "subset-selection", subset_size=48))]
    return spec_with("vectors-pair", 86400, ["all", "b"], metrics, questions), samples


def label(*parts):
    """32 bytes that look random and are the same in every run."""
    return hashlib.sha256(" ".join(map(str, ("driftglass vector",) + parts)).encode()).digest()


def make_profile(samples, case):
    """Counts for case number `case` of a spec: none, one event, a few, many."""
    usable = [cell for cell, sample in enumerate(samples) if sample is not None]
    if case % 6 == 0:
        return None
    events = [None, 1, 2, 5, 30, 1][case % 6]
    draws = label("profile", len(samples), case) * 2
    profile = [0] * len(samples)
    for event in range(events):
        profile[usable[(draws[event] * 7 + event) % len(usable)]] += 1
    if case % 6 == 5:
        # One event in the first or the last cell.
        profile = [0] * len(samples)
        profile[usable[0] if case % 12 == 5 else usable[-1]] = 1
    return profile


def good_case(specs, index, case):
    """Case number `case` of a spec, about the question whose turn it is: the secret is one that chooses it."""
    spec, samples = specs[index]
    questions = spec["measurement"]["questions"]
    identity = spec_id(spec)
    seed = label("seed", index, case)[: 1 + case % 32]
    windows = [0, 1, 2265, 2**31 - 1, 2**31, 2**32 - 2]
    window = windows[case] if case < len(windows) else int.from_bytes(label("window", case)[:3], "big")
    segment = case % len(spec["measurement"]["segments"])
    chosen = case % len(questions)
    secrets = (label("secret", index, case, attempt) for attempt in itertools.count())
    secret = next(secret for secret in secrets if choose_question(secret, spec, window) == chosen)
    profile = make_profile(samples, case // len(questions) + case)

    question = questions[chosen]
    if question["kind"] == "anchored-bit" and profile is not None and case % 4 == 3:
        # More events than the exact law is kept for.
        profile = [11 * count for count in profile]
    coin = report_id(secret, identity, window, chosen)
    epoch = window // question["randomizer"].get("epoch_windows", 1)
    memo_key = prf(secret, b"driftglass memo v1", identity, u16(chosen), u32(epoch))
    stream = Stream(seed)
    d = int.from_bytes(stream.take(8), "big")
    symbol = true_symbol(spec, question, samples, profile, coin, d)
    output = privatize(spec, question, symbol, coin, memo_key, stream)
    assert output < outputs(spec, question)
    supported = supports(spec, question, coin, output)
    report = encode(spec, case % 2, window, chosen, segment, coin, output)
    row = {
        "spec": index,
        "secret": secret.hex(),
        "window": window,
        "segment": segment,
        "canary": bool(case % 2),
        "now_secs": (window + 1) * spec["measurement"]["window"]["length_secs"],
        "state": (b"\x02" + app_id(spec) + secret + identity + u32(window) + u32(0) + u16(0)).hex(),
        "profile": profile,
        "seed": seed.hex(),
        "question": chosen,
        "true_symbol": symbol,
        "output": str(output),
        "supports": supported,
        "drawn": stream.drawn,
        "report": report.hex(),
    }
    return row, stream


def bad_cases(specs, good):
    for index in range(len(specs)):
        spec, _ = specs[index]
        case = next(row for row in good if row["spec"] == index)
        report = bytes.fromhex(case["report"])
        length = payload_len(spec)

        def bad(name, octets, error):
            return {"name": name, "spec": index, "bytes": octets.hex(), "error": error}

        def with_byte(place, octet):
            return report[:place] + bytes([octet]) + report[place + 1 :]

        for place, asked in enumerate(spec["measurement"]["questions"]):
            row = next(row for row in good if (row["spec"], row["question"]) == (index, place))
            head, count, name = bytes.fromhex(row["report"])[:44], outputs(spec, asked), asked["name"]
            wrong = {
                "the first number that is no output": count,
                "one more": count + 1,
                "a bit too many": 2 ** bits_for(count),
                "all bits": 256**length - 1,
            }
            for what, number in wrong.items():
                # Where outputs fill the payload, there is no wrong number.
                if count <= number < 256**length:
                    yield bad(f"{name}: {what}", head + number.to_bytes(length, "big"), "payload")
        for cut in (0, 1, 2, 3, 4, 20, 24, 26, 28, 43, 44):
            yield bad(f"cut after {cut} bytes", report[:cut], "length")
        yield bad("longer than any report", report + bytes(77 - len(report)), "length")
        yield bad("longer than any report by far", report + bytes(1000), "length")
        yield bad("first byte of the magic", with_byte(0, 0x64), "magic")
        yield bad("second byte of the magic", with_byte(1, 0x67), "magic")
        yield bad("magic swapped", b"GD" + report[2:], "magic")
        for version in (0, 2, 255):
            yield bad(f"version {version}", with_byte(2, version), "version")
        for arm in (2, 3, 128, 255):
            yield bad(f"arm {arm}", with_byte(3, arm), "arm")
        too_long = "length" if length == 32 else "payload"
        yield bad("one byte left over", report + b"\x00", too_long)
        yield bad("one byte of zero before the payload", report[:44] + b"\x00" + report[44:], too_long)
        if length > 1:
            yield bad("a byte too few", report[:-1], "payload")
            yield bad("a payload of one byte", report[:44] + b"\x01", "payload")
        other = 15 if length != 15 else 4
        yield bad(f"a payload of another spec, {other} bytes", report[:44] + bytes(other), "payload")


def bodies(good):
    reports = [bytes.fromhex(row["report"]) for row in good]
    mixed = [reports[0], reports[30], reports[-1]]
    for chosen in (reports[:1], reports[:3], mixed, reports):
        yield "good", {"reports": [report.hex() for report in chosen], "bytes": body(chosen).hex()}
    one = body(mixed)
    bad = {
        "empty": b"",
        "one byte": b"\x00",
        "a length and nothing else": one[:2],
        "cut in the first report": one[:30],
        "cut in the last report": one[:-1],
        "cut in a length": one[: 2 + len(mixed[0]) + 1],
        "one byte left over": one + b"\x00",
        "a length of zero": u16(0),
        "a length of zero after a report": body(mixed[:1]) + u16(0),
        "a header without payload": body([mixed[0][:44]]),
        "longer than any report": body([mixed[0] + bytes(77 - len(mixed[0]))]),
        "length one too small": u16(len(mixed[0]) - 1) + mixed[0],
        "length one too large": u16(len(mixed[0]) + 1) + mixed[0],
        "length in the wrong byte order": u16(len(mixed[0]))[::-1] + mixed[0],
        "no lengths": mixed[0],
        "text": b'{"reports": []}',
    }
    for name, octets in bad.items():
        yield "bad", {"name": name, "bytes": octets.hex()}


def main():
    check_numbers()
    specs = [category_spec(), numeric_spec(), pair_spec(), grid_spec(), wide_spec(), words_spec(), anchored_spec()]
    good, redrawn, redrawn_words = [], 0, 0
    for index, (spec, _) in enumerate(specs):
        for case in range(max(12, 6 * len(spec["measurement"]["questions"]))):
            row, stream = good_case(specs, index, case)
            good.append(row)
            redrawn += stream.redrawn
            redrawn_words += stream.redrawn_words
    # The vectors would prove little without these.
    assert redrawn > 50, "rejections occur"
    kept = [row["true_symbol"] in row["supports"] for row in good if row["supports"] is not None]
    assert any(kept) and not all(kept)
    assert any(row["profile"] is None for row in good) and any(sum(row["profile"] or []) > 20 for row in good)
    framed = list(bodies(good))
    document = {
        "specs": [
            {"document": spec, "id": spec_id(spec).hex(), "payload_len": payload_len(spec), "samples": samples}
            for spec, samples in specs
        ],
        "good": good,
        "bad": list(bad_cases(specs, good)),
        "bodies": {
            "good": [row for kind, row in framed if kind == "good"],
            "bad": [row for kind, row in framed if kind == "bad"],
        },
    }
    # One row a line: easy to read, easy to compare.
    out = ["{"]
    for name in ("specs", "good", "bad"):
        rows = ",\n".join("  " + json.dumps(row) for row in document[name])
        out.append(f' "{name}": [\n{rows}\n ],')
    parts = []
    for name in ("good", "bad"):
        rows = ",\n".join("   " + json.dumps(row) for row in document["bodies"][name])
        parts.append(f'  "{name}": [\n{rows}\n  ]')
    out.append(' "bodies": {\n' + ",\n".join(parts) + "\n }")
    out.append("}")
    text = "\n".join(out) + "\n"
    assert json.loads(text) == json.loads(json.dumps(document))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
