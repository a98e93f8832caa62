"""Frequency oracles of pure-ldp and multi-freq-ldpy: time per report and error, one line of JSON each.

Arguments: epsilon, seconds for each figure, then domain sizes. Devices have the Zipf(1.1) shares of the native bench.
A peer is called as its documentation shows, one report at a time; compiled functions are called once before. What
fails says so in its line.
"""

import json
import random
import sys
import time

import numpy as np

SEED = 20130101
MOST_REPORTS = 20_000


def zipf(k, reports):
    """True symbols, as many of each as rounding allows."""
    weights = np.arange(1, k + 1) ** -1.1
    ends = np.rint(np.cumsum(weights) / weights.sum() * reports).astype(int)
    symbols = np.repeat(np.arange(k), np.diff(ends, prepend=0))
    np.random.shuffle(symbols)
    return [int(symbol) for symbol in symbols]


def pure_ldp(mechanism, k, epsilon):
    """Returns privatize(symbol) and count(reports) -> shares."""
    from pure_ldp.frequency_oracles import direct_encoding, hadamard_response, local_hashing, unary_encoding

    if mechanism == "k-ary":
        make = lambda: direct_encoding.DEServer(epsilon, k)
        client = direct_encoding.DEClient(epsilon, k)
    elif mechanism == "optimized-unary":
        make = lambda: unary_encoding.UEServer(epsilon, k, use_oue=True)
        client = unary_encoding.UEClient(epsilon, k, use_oue=True)
    elif mechanism == "local-hashing":
        make = lambda: local_hashing.LHServer(epsilon, k, use_olh=True)
        client = local_hashing.LHClient(epsilon, k, use_olh=True)
    else:
        server = hadamard_response.HadamardResponseServer(epsilon, k)
        make = lambda: server
        client = hadamard_response.HadamardResponseClient(epsilon, k, hash_funcs=server.get_hash_funcs())

    def count(reports):
        server = make()
        server.reset()
        for report in reports:
            server.aggregate(report)
        # Symbols are numbered from 1 here.
        estimates = [server.estimate(symbol, suppress_warnings=True) for symbol in range(1, k + 1)]
        return np.array(estimates) / len(reports)

    return lambda symbol: client.privatise(symbol + 1), count


def multi_freq(mechanism, k, epsilon):
    """Returns privatize(symbol) and count(reports) -> shares, which this peer clips and scales."""
    from multi_freq_ldpy.pure_frequency_oracles import GRR, LH, SS, UE

    client, count = {
        "k-ary": (GRR.GRR_Client, lambda reports: GRR.GRR_Aggregator_MI(reports, k, epsilon)),
        "optimized-unary": (UE.UE_Client, lambda reports: UE.UE_Aggregator_MI(reports, epsilon)),
        "local-hashing": (LH.LH_Client, lambda reports: LH.LH_Aggregator_MI(reports, k, epsilon)),
        "subset-selection": (SS.SS_Client, lambda reports: SS.SS_Aggregator_MI(reports, k, epsilon)),
    }[mechanism]
    return lambda symbol: client(symbol, k, epsilon), count


PEERS = {
    "pure-ldp 1.2.0": (pure_ldp, ["k-ary", "optimized-unary", "local-hashing", "hadamard"]),
    "multi-freq-ldpy 0.2.5": (multi_freq, ["k-ary", "subset-selection", "optimized-unary", "local-hashing"]),
}


def measure(peer, mechanism, k, epsilon, seconds):
    """Times a pilot first, then as many reports as fit the seconds."""
    privatize, count = peer(mechanism, k, epsilon)
    pilot = [privatize(symbol) for symbol in zipf(k, 20)]
    count(pilot)
    began = time.process_time()
    count([privatize(symbol) for symbol in zipf(k, 20)])
    reports = int(min(MOST_REPORTS, max(200, 20 * seconds / (time.process_time() - began))))

    symbols = zipf(k, reports)
    began = time.process_time()
    sent = [privatize(symbol) for symbol in symbols]
    client = time.process_time() - began
    began = time.process_time()
    shares = count(sent)
    server = time.process_time() - began
    truth = np.bincount(symbols, minlength=k) / reports
    return {
        "reports": reports,
        "client_us": client / reports * 1e6,
        "server_us": server / reports * 1e6,
        "n_var": float(reports * np.mean((shares - truth) ** 2)),
    }


def main():
    epsilon, seconds = float(sys.argv[1]), float(sys.argv[2])
    np.random.seed(SEED)
    random.seed(SEED)
    for name, (peer, mechanisms) in PEERS.items():
        for mechanism in mechanisms:
            for k in map(int, sys.argv[3:]):
                row = {"peer": name, "mechanism": mechanism, "k": k}
                try:
                    row |= measure(peer, mechanism, k, epsilon, seconds)
                except Exception as error:  # A peer may fail in any way; the table says how.
                    row["failed"] = f"{type(error).__name__}: {error}"
                print(json.dumps(row), flush=True)


main()
