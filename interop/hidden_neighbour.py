#!/usr/bin/env python3
"""A fault of the C littlefs's own, shown with C alone: exits 0 where it shows it, 1 where it does not.

A rename across directories writes the entry at its destination with a pending move in the global state, and then deletes
it at its source. Where power is lost between the two, the entry behind the moved one cannot be found or listed until the
library has repaired the image. Nothing is lost: after the repair it is there.
"""

import sys

from littlefs import LittleFS, LittleFSError, UserContext

from c_littlefs import version_line

SIZES = {"block_size": 512, "block_count": 64, "read_size": 16, "prog_size": 16, "cache_size": 64, "lookahead_size": 16}


class Recorder(UserContext):
    """Keeps the image as it stands after each program, once asked to."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.images = None

    def prog(self, cfg, block, off, data):
        result = super().prog(cfg, block, off, data)
        if self.images is not None:
            self.images.append(bytes(self.buffer))
        return result


def seen(fs: LittleFS, name: str) -> bool:
    try:
        fs.stat(f"/source/{name}")
    except LittleFSError:
        return False
    return name in fs.listdir("/source")


def main() -> int:
    print(version_line(), file=sys.stderr)
    device = Recorder(SIZES["block_size"] * SIZES["block_count"])
    fs = LittleFS(context=device, mount=False, block_cycles=-1, **SIZES)
    fs.format()
    fs.mount()
    fs.mkdir("/source")
    fs.mkdir("/target")
    for name in "abcd":
        with fs.open(f"/source/{name}", "wb") as file:
            file.write(b"1")
    device.images = []
    fs.rename("/source/b", "/target/b")

    after_first_program = UserContext(buffer=bytearray(device.images[0]))
    cut = LittleFS(context=after_first_program, mount=False, block_cycles=-1, **SIZES)
    cut.mount()
    before = [name for name in "acd" if seen(cut, name)]
    cut.fs_mkconsistent()
    after = [name for name in "acd" if seen(cut, name)]
    print(f"seen before the repair: {before}, after it: {after}")
    return 0 if (before, after) == (["a", "d"], ["a", "c", "d"]) else 1


if __name__ == "__main__":
    sys.exit(main())
