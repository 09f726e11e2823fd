"""Copies its input to a log and blacks out secrets: python log_filter.py LOG. The first line of the
input is a JSON list of the secrets.

It runs as a separate process, so that it lives as long as the `swift` that writes to it.
"""

import json
import sys
from pathlib import Path


def main(log: Path) -> None:
    """Copy until the input ends."""
    source = sys.stdin.buffer
    secrets = [text.encode("utf-8", "surrogateescape") for text in json.loads(source.readline())]
    with log.open("ab", buffering=0) as output:
        for line in source:
            for secret in secrets:
                line = line.replace(secret, b"***")
            output.write(line)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
