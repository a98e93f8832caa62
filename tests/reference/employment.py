"""Makes benches/data/employment.bin from the employment data set of a NannyML wheel.

Usage: python employment.py nannyml-0.13.1-py3-none-any.whl benches/data/employment.bin   (pandas, pyarrow)

Persons: American Community Survey, Public Use Microdata Sample, Massachusetts, 2015 to 2018, U.S. Census Bureau; public
domain. Predictions: of the model that NannyML 0.13.1 (Apache-2.0) ships with them.

Two bytes a person, in the order of the source: 2015, the reference, first.

| Byte | Bits | Meaning |
| --- | --- | --- |
| 0 | | predicted probability of employment, round(255 p) |
| 1 | 0 | was employed: the label, which arrives later |
| 1 | 1 | was predicted to be |
| 1 | 2-3 | year - 2015 |
| 1 | 4-7 | age / 10 in whole decades, at most 9 |
"""

import io
import sys
import zipfile

import pandas

FOLDER = "nannyml/datasets/data/employment_MA_"


def main(wheel: str, target: str) -> None:
    with zipfile.ZipFile(wheel) as files:

        def table(name: str) -> pandas.DataFrame:
            return pandas.read_parquet(io.BytesIO(files.read(f"{FOLDER}{name}.pq")))

        later = table("analysis").merge(table("analysis_target"), on="id", validate="one_to_one")
        persons = pandas.concat([table("reference"), later])
    probability = (persons["predicted_probability"] * 255).round().astype("uint8")
    decade = (persons["AGEP"] // 10).clip(upper=9).astype("uint8")
    flags = persons["employed"] + 2 * persons["prediction"] + 4 * (persons["year"] - 2015) + 16 * decade
    rows = zip(probability.tolist(), flags.astype("uint8").tolist(), strict=True)
    with open(target, "wb") as out:
        out.write(bytes(byte for row in rows for byte in row))


if __name__ == "__main__":
    main(*sys.argv[1:])
