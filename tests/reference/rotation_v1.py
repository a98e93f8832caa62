"""Reference implementation of "Which window" in docs/report-format.md, and the maker of its test vectors.

Shares no code with the crate. Standard library only.

    python3 tests/reference/rotation_v1.py > tests/vectors/rotation-v1.json
"""

import hashlib
import hmac
import json


def turn(secret, app, windows, block):
    app_id = hashlib.sha256(b"driftglass app v1" + app.encode()).digest()[:16]
    message = b"driftglass rotation v1" + app_id + block.to_bytes(4, "big")
    u = int.from_bytes(hmac.new(secret, message, hashlib.sha256).digest()[:8], "big")
    return block * windows + (u * windows >> 64)


def main():
    rows = []
    for case in range(60):
        secret = hashlib.sha256(f"rotation secret {case}".encode()).digest()
        app = ["flights", "a", "vectors-9"][case % 3]
        windows = [1, 2, 4, 13, 52, 520][case % 6]
        block = [0, 1, 43, 565, 100_000, (2**32 - 1) // windows - 1][case // 6 % 6]
        rows.append(
            {
                "secret": secret.hex(),
                "app": app,
                "rotation_windows": windows,
                "block": block,
                "turn": turn(secret, app, windows, block),
            }
        )
    print("[\n" + ",\n".join(" " + json.dumps(row) for row in rows) + "\n]")


if __name__ == "__main__":
    main()
