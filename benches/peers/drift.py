"""The work of the batch bench with numpy, scipy and Evidently: one line of JSON each.

Arguments: metrics, segments, cells. Time is processor time of this process, the median of three runs; counts are made
before. numpy goes through the metrics in blocks, so that its temporaries stay in the cache; it has no e-values.
"""

import json
import sys
import time

import numpy as np

REPORTS, REFERENCE_REPORTS = 10_000, 1_000_000
P, Q = 0.5, 1 / (1 + np.e)
BLOCK = 50


def seconds(act, runs=3):
    def one():
        start = time.process_time()
        act()
        return time.process_time() - start

    return sorted(one() for _ in range(runs))[runs // 2]


def say(name, took, note):
    print(json.dumps({"name": name, "seconds": took, "note": note}), flush=True)


def wald(counts, reference):
    """The projected statistic of two samples by unary encoding, in its O(k) form."""
    one = counts.dtype.type
    shares = (counts * one(1 / REPORTS) - one(Q)) * one(1 / (P - Q))
    moved = shares - reference
    pooled = np.maximum(reference + moved * one(REPORTS / (REPORTS + REFERENCE_REPORTS)), 0)
    pooled /= pooled.sum(axis=-1, keepdims=True)
    noise = (pooled * one(P * (1 - P)) + (1 - pooled) * one(Q * (1 - Q))) * one(1 / (P - Q) ** 2)
    inverse = 1 / (pooled + noise)
    d_over, f_over = moved * inverse, pooled * inverse
    rest = 1 - (pooled * f_over).sum(-1)
    cross, share = (pooled * d_over).sum(-1), f_over.sum(-1)
    square, off, ones = (moved * d_over).sum(-1), d_over.sum(-1), inverse.sum(-1)
    projected = square + cross**2 / rest - (off + share * cross / rest) ** 2 / (ones + share**2 / rest)
    return projected / one(1 / REPORTS + 1 / REFERENCE_REPORTS)


def main():
    metrics, segments, cells = map(int, sys.argv[1:4])
    rng = np.random.default_rng(4310)
    mean = Q + (P - Q) / cells
    counts = rng.binomial(REPORTS, mean, size=(metrics, segments, cells)).astype(np.float64)
    for name, kind in (("numpy f64, statistic alone", np.float64), ("numpy f32, statistic alone", np.float32)):
        values, reference = counts.astype(kind), np.full(cells, 1 / cells, dtype=kind)
        blocks = lambda: [wald(values[at : at + BLOCK], reference) for at in range(0, metrics, BLOCK)]
        say(name, seconds(blocks), f"numpy {np.__version__}, no p, no e")
    try:
        import scipy
        from scipy.special import gammaincc

        reference = np.full(cells, 1 / cells)
        tests = lambda: [
            gammaincc((cells - 1) / 2, wald(counts[at : at + BLOCK], reference) / 2) for at in range(0, metrics, BLOCK)
        ]
        say("numpy f64 with scipy p-values", seconds(tests), f"scipy {scipy.__version__}, no e")
    except ImportError as error:
        print(f"scipy: {error}", file=sys.stderr)
    try:
        evidently(metrics * segments)
    except Exception as error:  # A peer that breaks is named, and the others stand.
        print(f"evidently: {error!r}", file=sys.stderr)


def evidently(comparisons, measured=20, rows=1_000):
    """PSI of raw columns by Evidently's preset."""
    from importlib.metadata import version

    import pandas as pd
    from evidently import Report
    from evidently.presets import DataDriftPreset

    rng = np.random.default_rng(1)
    frame = lambda: pd.DataFrame(rng.normal(size=(rows, measured)), columns=[f"c{i}" for i in range(measured)])
    then, now = frame(), frame()
    run = lambda: Report([DataDriftPreset(method="psi")]).run(now, then).dict()
    run()
    took = seconds(run) / measured * comparisons
    note = f"Evidently {version('evidently')}, PSI of {rows} raw rows, extrapolated from {measured} columns, no valid p"
    say("Evidently", took, note)


main()
