#!/usr/bin/env python3
"""A fault of the C littlefs's own, shown with C alone: exits 0 where it shows it, 1 where it does not.

Where power is lost between the two commits of a rename across directories, every call that changes something repairs the
image first, but those that set or remove an attribute. In the pair of the moved entry these write to the entry before
the one that they are asked for.
"""

import sys

from littlefs import LittleFS, LittleFSError, UserContext

from c_littlefs import version_line
from hidden_neighbour import Recorder, SIZES

KIND = 0x41


def holders(buffer: bytes) -> list[str]:
    """Who has the attribute once the image is repaired."""
    fs = LittleFS(context=UserContext(buffer=bytearray(buffer)), mount=False, **SIZES)
    fs.mount()
    fs.fs_mkconsistent()
    return [name for name in sorted(fs.listdir("/source")) if has_attribute(fs, f"/source/{name}")]


def has_attribute(fs: LittleFS, path: str) -> bool:
    try:
        return fs.getattr(path, KIND) == b"mine"
    except LittleFSError:
        return False


def main() -> int:
    print(version_line(), file=sys.stderr)
    device = Recorder(SIZES["block_size"] * SIZES["block_count"])
    fs = LittleFS(context=device, mount=False, **SIZES)
    fs.format()
    fs.mount()
    fs.mkdir("/source")
    fs.mkdir("/target")
    for name in "abc":
        with fs.open(f"/source/{name}", "wb") as file:
            file.write(name.encode())
    device.images = []
    fs.rename("/source/a", "/target/a")

    shown = False
    for number, image in enumerate(device.images, 1):
        cut = UserContext(buffer=bytearray(image))
        fs = LittleFS(context=cut, mount=False, **SIZES)
        fs.mount()
        fs.setattr("/source/c", KIND, b"mine")
        fs.unmount()
        found = holders(cut.buffer)
        print(f"power cut after program {number} of {len(device.images)} of the rename; attribute set on c, found on: "
              f"{', '.join(found) or 'none'}")
        shown |= found != ["c"]
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main())
