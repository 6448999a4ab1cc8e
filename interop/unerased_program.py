#!/usr/bin/env python3
"""A fault of the C littlefs's own, shown with C alone: exits 0 where it shows it, 1 where it does not.

Power is lost in the program of a commit that spans several program units, and the device has written all of them but the
first. The checksum by which C tells whether what lies behind the last commit is erased covers one unit. So C takes the
rest for erased, and its next commit is programmed over the leftovers. It notices by the commit's checksum and moves the
pair to other blocks: nothing is lost on a device that takes such a program, as NOR flash does.
"""

import sys

from littlefs import LittleFS, UserContext

from c_littlefs import version_line

UNIT = 16
SIZES = {"block_size": 512, "block_count": 64, "read_size": UNIT, "prog_size": UNIT, "cache_size": 512,
         "lookahead_size": 16}


class Device(UserContext):
    """Clears bits, as NOR flash does, and counts programs over what is not erased."""

    def __init__(self, buffer: bytearray) -> None:
        super().__init__(buffer=buffer)
        self.over_unerased = 0
        # What the first program loses at its front, in bytes; the programs behind it are lost whole.
        self.loses_first = 0
        self.is_cut = False

    def prog(self, cfg, block, off, data):
        start = block * cfg.block_size + off
        there = self.buffer[start:start + len(data)]
        if self.is_cut:
            return 0
        if self.loses_first:
            self.is_cut = True
            self.buffer[start + self.loses_first:start + len(data)] = data[self.loses_first:]
            return 0
        self.over_unerased += any(byte != 0xFF for byte in there)
        self.buffer[start:start + len(data)] = bytes(old & new for old, new in zip(there, data))
        return 0

    def erase(self, cfg, block):
        return 0 if self.is_cut else super().erase(cfg, block)


def mounted(device: Device) -> LittleFS:
    fs = LittleFS(context=device, mount=False, block_cycles=-1, **SIZES)
    fs.mount()
    return fs


def write(fs: LittleFS, name: str, content: bytes) -> None:
    with fs.open(name, "wb") as file:
        file.write(content)


def main() -> int:
    print(version_line(), file=sys.stderr)
    device = Device(bytearray(b"\xff" * SIZES["block_size"] * SIZES["block_count"]))
    LittleFS(context=device, mount=False, block_cycles=-1, **SIZES).format()
    fs = mounted(device)
    write(fs, "/kept", b"kept")
    sound = device.over_unerased == 0

    device.loses_first = UNIT
    try:
        write(fs, "/cut", bytes(range(64)))
    except Exception:  # The library reads back that its program was not done, and may say so.
        pass

    device = Device(bytearray(device.buffer))
    fs = mounted(device)
    write(fs, "/next", bytes(range(64)))
    fs.unmount()
    left = {name: mounted(device).open(f"/{name}", "rb").read() for name in mounted(device).listdir("/")}
    print(f"programs over what is not erased: {device.over_unerased}; left: {', '.join(left)}")
    return 0 if sound and device.over_unerased and left == {"kept": b"kept", "next": bytes(range(64))} else 1


if __name__ == "__main__":
    sys.exit(main())
