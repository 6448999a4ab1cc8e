#!/usr/bin/env python3
"""Makes changes to an image with the C littlefs.

The changes come from standard input, one JSON object a line; paths and data are in hexadecimal:

    {"change": "set", "path": "2f61", "data": "00"}         create or overwrite
    {"change": "set_partial", "path": "2f61", "offset": 0, "data": "00"}
    {"change": "truncate", "path": "2f61", "size": 0}       shorten, or lengthen by zero bytes
    {"change": "make_dictionary", "path": "2f62"}
    {"change": "remove", "path": "2f61"}                    a value or an empty dictionary
    {"change": "rename", "path": "2f61", "to": "2f63"}
    {"change": "set_attribute", "path": "2f61", "kind": 116, "data": "00"}
    {"change": "remove_attribute", "path": "2f61", "kind": 116}

The data of an attribute must not be empty: the binding cannot set that.
"""

import argparse
import json
import sys
from pathlib import Path

from littlefs import LittleFSError

from c_littlefs import Image, text, version_line


def apply(image: Image, change: dict) -> None:
    """Makes one change."""
    path = text(bytes.fromhex(change["path"]))
    match change["change"]:
        case "set":
            with image.fs.open(path, "wb", buffering=0) as file:
                file.write(bytes.fromhex(change["data"]))
        case "set_partial":
            with image.fs.open(path, "r+b", buffering=0) as file:
                file.seek(change["offset"])
                file.write(bytes.fromhex(change["data"]))
        case "truncate":
            with image.fs.open(path, "r+b", buffering=0) as file:
                # The binding cuts at the position.
                file.seek(change["size"])
                file.truncate()
        case "make_dictionary":
            image.fs.mkdir(path)
        case "remove":
            image.fs.remove(path)
        case "rename":
            image.fs.rename(path, text(bytes.fromhex(change["to"])))
        case "set_attribute":
            image.fs.setattr(path, change["kind"], bytes.fromhex(change["data"]))
        case "remove_attribute":
            image.fs.removeattr(path, change["kind"])
        case other:
            raise ValueError(f"unknown change {other!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("--block-size", type=int, required=True)
    parser.add_argument("--prog-size", type=int, default=1)
    arguments = parser.parse_args()

    print(version_line(), file=sys.stderr)
    try:
        image = Image.from_file(arguments.image, arguments.block_size, arguments.prog_size)
    except (OSError, LittleFSError) as error:
        print(f"error: {arguments.image}: {error}", file=sys.stderr)
        return 2
    for number, line in enumerate(sys.stdin, start=1):
        try:
            apply(image, json.loads(line))
        except (OSError, ValueError, KeyError, LittleFSError) as error:
            print(f"error: standard input, line {number}: {error!r}", file=sys.stderr)
            return 2
    image.save(arguments.image)
    return 0


if __name__ == "__main__":
    sys.exit(main())
