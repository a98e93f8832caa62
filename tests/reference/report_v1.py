"""Reference implementation of report format 1, and the maker of its test vectors.

Written from docs/report-format.md and docs/spec.md with the standard library alone; it shares no code with the crate.
The subset of step 2 to 4 is built as a sorted list of numbers, without masks, tables or tricks, so that it can be read
next to the document. It is not fit for devices: its time depends on the secret.

Reproduce the committed file, byte for byte, from the root of the workspace:

    python3 tests/reference/report_v1.py > tests/vectors/report-v1.json

Fields of the file (`hex` is lower-case hexadecimal):

specs[]
    document     the spec; a reader passes it to the parser as JSON text
    id           spec id, hex
    payload_len  P
    samples[]    for each cell of the metric that the questions ask about, one event that falls into it:
                 {"input": value or null} is element 0 of the input tensor "x"; with "outcome", the outcome that follows
good[]
    spec         index into specs
    secret       device secret, hex
    window, segment (index), canary (arm)
    now_secs     a moment at which the window is due
    state        device state before the answer, hex (layout: src/privacy/state.rs)
    profile      counts per cell, or null: nothing was recorded in the window
    seed         seed of the entropy stream, hex; the stream starts anew for each case
    question     expected index
    true_symbol  expected true symbol
    subset       expected members of the reported subset
    drawn        bytes of entropy that are consumed
    report       expected report, hex
bad[]            name, spec, bytes (hex) of one report, and the error: length, magic, version, arm, or payload
                 (readable as a report; its payload is no canonical subset of the question of the spec)
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
    if question["kind"] == "threshold-bit":
        return 3
    return cell_count(spec, metric_named(spec, question["metric"])) + 1


def bits_for(count):
    """The least number of bits that holds count - 1."""
    return (count - 1).bit_length()


def payload_len(spec):
    def need(question):
        return -(-bits_for(math.comb(domain_size(spec, question), question["randomizer"]["subset_size"])) // 8)

    return max(map(need, spec["measurement"]["questions"]))


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


# --- The answer -------------------------------------------------------------------------------------------------------


def drawn_cell(counts, d):
    """The cell of event number floor(d m / 2^64) of the m events, in the order of the cells; None without events."""
    event = d * sum(counts) // 2**64
    return next((cell for cell, total in enumerate(itertools.accumulate(counts)) if total > event), None)


def true_symbol(spec, question, profile, d):
    no_data = domain_size(spec, question) - 1
    if profile is None:
        return no_data
    if question["kind"] == "threshold-bit":
        edges = metric_named(spec, question["metric"])["cells"]["edges"]
        below = edges.index(question["threshold"]) + 1
        profile = [sum(profile[:below]), sum(profile[below : len(edges) + 1])]
    cell = drawn_cell(profile, d)
    return no_data if cell is None else cell


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


def subset_of(k, randomizer, symbol, stream):
    w = randomizer["subset_size"]
    keep_weight = w * randomizer["weight_true"]
    keep = stream.below(keep_weight + (k - w) * randomizer["weight_false"]) < keep_weight
    kept = stream.below(math.comb(k - 1, w - 1))
    dropped = stream.below(math.comb(k - 1, w))
    chosen = unrank(kept, w - 1) if keep else unrank(dropped, w)
    others = [other for other in range(k) if other != symbol]
    return sorted([others[place] for place in chosen] + ([symbol] if keep else []))


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


def randomizer(size, micronats):
    return {
        "mechanism": "subset-selection",
        "subset_size": size,
        "weight_true": floor_exp(micronats),
        "weight_false": 2**32,
    }


def question(name, metric, size, micronats, weight, threshold=None):
    kind = {"kind": "sampled-event"} if threshold is None else {"kind": "threshold-bit", "threshold": threshold}
    rest = {"weight": weight, "epsilon_micronats": micronats, "randomizer": randomizer(size, micronats)}
    return {"name": name, "metric": metric, **kind, **rest}


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
    """k = 17, w = 5. Labels that JSON must escape and labels that it must not."""
    labels = ['"quoted"', "back\\slash", "tab\there", "line\nbreak", "é", "€", "😀", "\u0001", "/", "<&>"]
    labels += ["k", "l", "m", "n", "o", "p"]
    metric = {
        "name": "kind_of_thing",
        "source": {"kind": "input", "tensor": "x", "index": 0},
        "cells": {"kind": "category", "labels": labels},
    }
    questions = [question("which", "kind_of_thing", 5, 1000000, 7)]
    samples = [{"input": label} for label in labels]
    return spec_with("vectors-category", 604800, ["all", "größer", "b"], [metric], questions), samples


def numeric_spec():
    """Two questions of different payload length (1 and 4 bytes) about 63 edges that are hard to write."""
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
    questions = [question("small", "size", 1, 2000000, 3, 4.35), question("size", "size", 7, 2000000, 2)]
    # On an edge, which belongs to the cell below it; the last cell is open above.
    samples = [{"input": edge} for edge in edges] + [{"input": None}, {"input": None}]
    # Nothing finite lies above the last edge: that cell stays empty.
    samples[63] = None
    return spec_with("vectors-numeric", 3600, ["all"], [metric], questions), samples


def pair_spec():
    """k = 127, the largest domain that a spec can have, with payloads of 15 bytes."""
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
    questions = [question("both", "both", 48, 500000, 1)]
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
    spec, samples = specs[index]
    identity = spec_id(spec)
    secret, seed = label("secret", index, case), label("seed", index, case)[: 1 + case]
    windows = [0, 1, 2265, 2**31 - 1, 2**31, 2**32 - 2]
    window = windows[case] if case < len(windows) else int.from_bytes(label("window", case)[:3], "big")
    segment = case % len(spec["measurement"]["segments"])
    profile = make_profile(samples, case)

    chosen = choose_question(secret, spec, window)
    question = spec["measurement"]["questions"][chosen]
    stream = Stream(seed)
    d = int.from_bytes(stream.take(8), "big")
    symbol = true_symbol(spec, question, profile, d)
    subset = subset_of(domain_size(spec, question), question["randomizer"], symbol, stream)
    report = encode(
        spec, case % 2, window, chosen, segment, report_id(secret, identity, window, chosen), rank(subset)
    )
    assert unrank(rank(subset), len(subset)) == subset
    row = {
        "spec": index,
        "secret": secret.hex(),
        "window": window,
        "segment": segment,
        "canary": bool(case % 2),
        "now_secs": (window + 1) * spec["measurement"]["window"]["length_secs"],
        "state": (b"\x02" + app_id(spec) + secret + identity + u32(window) + u32(0)).hex(),
        "profile": profile,
        "seed": seed.hex(),
        "question": chosen,
        "true_symbol": symbol,
        "subset": subset,
        "drawn": stream.drawn,
        "report": report.hex(),
    }
    return row, stream.redrawn


def bad_cases(specs, good):
    for index in range(len(specs)):
        spec, _ = specs[index]
        case = next(row for row in good if row["spec"] == index)
        report = bytes.fromhex(case["report"])
        asked = spec["measurement"]["questions"][case["question"]]
        count = math.comb(domain_size(spec, asked), asked["randomizer"]["subset_size"])
        length = payload_len(spec)

        def bad(name, octets, error):
            return {"name": name, "spec": index, "bytes": octets.hex(), "error": error}

        def with_payload(number):
            return report[:44] + number.to_bytes(length, "big")

        def with_byte(place, octet):
            return report[:place] + bytes([octet]) + report[place + 1 :]

        for cut in (0, 1, 2, 3, 4, 20, 24, 26, 28, 43, 44):
            yield bad(f"cut after {cut} bytes", report[:cut], "length")
        yield bad("longer than any report", report + bytes(61 - len(report)), "length")
        yield bad("longer than any report by far", report + bytes(1000), "length")
        yield bad("first byte of the magic", with_byte(0, 0x64), "magic")
        yield bad("second byte of the magic", with_byte(1, 0x67), "magic")
        yield bad("magic swapped", b"GD" + report[2:], "magic")
        for version in (0, 2, 255):
            yield bad(f"version {version}", with_byte(2, version), "version")
        for arm in (2, 3, 128, 255):
            yield bad(f"arm {arm}", with_byte(3, arm), "arm")
        yield bad("the first rank that no subset has", with_payload(count), "payload")
        yield bad("one more", with_payload(count + 1), "payload")
        yield bad("the largest payload", with_payload(256**length - 1), "payload")
        yield bad("a rank with a bit too many", with_payload(2 ** bits_for(count)), "payload")
        yield bad("one byte left over", report + b"\x00", "payload")
        yield bad("one byte of zero before the payload", report[:44] + b"\x00" + report[44:], "payload")
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
        "longer than any report": body([mixed[0] + bytes(61 - len(mixed[0]))]),
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
    specs = [category_spec(), numeric_spec(), pair_spec()]
    good, redrawn = [], 0
    for case, index in itertools.product(range(24), range(len(specs))):
        row, again = good_case(specs, index, case)
        good.append(row)
        redrawn += again
    # The vectors would prove little without these.
    assert redrawn > 50, "rejections occur"
    assert {(row["spec"], row["question"]) for row in good} == {(0, 0), (1, 0), (1, 1), (2, 0)}
    assert any(row["true_symbol"] in row["subset"] for row in good)
    assert any(row["true_symbol"] not in row["subset"] for row in good)
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
