#!/usr/bin/env python3
"""Lets the C littlefs recover from many images.

Each line of standard input is a JSON object with the path of an image, its `block_size` and its `prog_size`. For each, a
JSON object is printed with the tree that the C littlefs sees `before` its own repair and `after` it, line for line as
`cutpoint image tree --json` (of attributes only type 0x74 is looked for). Then it sets `/peer` in the image and saves it.
"""

import json
import sys
from pathlib import Path

from c_littlefs import Image, version_line

TIME = 0x74


def main() -> int:
    print(version_line(), file=sys.stderr)
    for line in sys.stdin:
        request = json.loads(line)
        path = Path(request["image"])
        image = Image.from_file(path, request["block_size"], request["prog_size"])
        before = image.tree([TIME])
        image.fs.fs_mkconsistent()
        after = image.tree([TIME])
        with image.fs.open("/peer", "wb") as file:
            file.write(b"peer")
        image.save(path)
        print(json.dumps({"before": before, "after": after}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
