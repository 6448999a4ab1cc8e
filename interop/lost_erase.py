#!/usr/bin/env python3
"""What the C littlefs needs of a device, shown with C alone: exits 0 where it shows it, 1 where it does not.

C syncs before and after it commits, but not between the erase of a block and the first program there. Where the device
may lose the erase and keep the program (eMMC and NVMe discard out of order until a flush), commits of an older generation
of the block can come back behind the new one. Here a value that was closed long before reads as empty then.
"""

import sys

from littlefs import LittleFS, UserContext

from c_littlefs import version_line

UNIT = 16
SIZES = {"block_size": 512, "block_count": 128, "read_size": UNIT, "prog_size": UNIT, "cache_size": 512,
         "lookahead_size": 16, "block_cycles": 512}
BLANK = b"\xff" * SIZES["block_size"] * SIZES["block_count"]


class Device(UserContext):
    """Records what is written; `replay` writes it again, on another device."""

    def __init__(self) -> None:
        super().__init__(buffer=bytearray(BLANK))
        self.writes = []
        self.synced = []

    def prog(self, cfg, block, off, data):
        self.writes.append((block, off, bytes(data)))
        return super().prog(cfg, block, off, data)

    def erase(self, cfg, block):
        self.writes.append((block, 0, b"\xff" * cfg.block_size))
        return super().erase(cfg, block)

    def sync(self, cfg):
        self.synced.append(len(self.writes))
        return 0


def replay(writes: list) -> bytearray:
    image = bytearray(BLANK)
    for block, offset, data in writes:
        start = block * SIZES["block_size"] + offset
        image[start:start + len(data)] = data
    return image


def shown(image: bytearray) -> dict[str, bytes]:
    fs = LittleFS(context=UserContext(buffer=image), mount=False, **SIZES)
    fs.mount()
    return {name: fs.open(f"/tree/{name}", "rb").read() for name in fs.listdir("/tree")}


def main() -> int:
    print(version_line(), file=sys.stderr)
    device = Device()
    LittleFS(context=device, mount=False, **SIZES).format()
    fs = LittleFS(context=device, mount=False, **SIZES)
    fs.mount()
    fs.mkdir("/keep")
    with fs.open("/keep/v", "wb") as file:
        file.write(b"v" * 48)
    fs.mkdir("/tree")
    # How many writes there were when each value was closed.
    closed = {}
    for index in range(24):
        name = f"k{index}"
        with fs.open(f"/tree/{name}", "wb") as file:
            file.write(bytes([65 + index]) * 48)
        closed[name] = len(device.writes)

    lost = []
    is_erase = [len(data) == SIZES["block_size"] for _, _, data in device.writes]
    for erase in range(closed["k0"], len(device.writes) - 1):
        behind = erase + 1
        same_block = device.writes[erase][0] == device.writes[behind][0]
        if not is_erase[erase] or is_erase[behind] or not same_block or behind in device.synced:
            continue
        found = shown(replay(device.writes[:erase] + [device.writes[behind]]))
        known = [name for name, writes in closed.items() if writes <= erase]
        lost += [name for name in known if found.get(name) != bytes([65 + int(name[1:])]) * 48]
    print(f"closed before the erase that was lost, and not read after it: {', '.join(lost) or 'nothing'}")
    return 0 if lost else 1


if __name__ == "__main__":
    sys.exit(main())
