#!/usr/bin/env python3
"""Prints what the C littlefs sees in an image, line for line as `cutpoint image tree --json` does.

The image is not changed: a repair takes place in memory.
"""

import argparse
import sys
from pathlib import Path

from littlefs import LittleFSError

from c_littlefs import Image, version_line


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--block-size", type=int, required=True)
    parser.add_argument("--prog-size", type=int, default=1)
    parser.add_argument("--repair", action="store_true", help="read after the C littlefs's own repair")
    parser.add_argument(
        "--attributes",
        type=lambda kinds: [int(kind, 16) for kind in kinds.split(",")],
        default=range(256),
        metavar="HEX,...",
        help="attribute types to look for (all; each takes a search for each entry)",
    )
    arguments = parser.parse_args()

    print(version_line(), file=sys.stderr)
    try:
        image = Image.from_file(arguments.image, arguments.block_size, arguments.prog_size)
        before = bytes(image.device.buffer)
        if arguments.repair:
            image.fs.fs_mkconsistent()
        lines = image.tree(arguments.attributes)
    except (OSError, LittleFSError) as error:
        print(f"error: {arguments.image}: {error}", file=sys.stderr)
        return 2
    if not arguments.repair and bytes(image.device.buffer) != before:
        print(f"error: {arguments.image}: reading wrote to the device", file=sys.stderr)
        return 2
    sys.stdout.reconfigure(encoding="utf-8")
    for line in lines:
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
