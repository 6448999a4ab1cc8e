#!/usr/bin/env python3
"""The C littlefs as a service: requests on standard input, replies on standard output, until the input ends.

A request and a reply are one JSON object in a line each, then the bytes of an image, as many as its member `image`
says. Every request holds `request` and `settings`: block_size, block_count, prog_size, cache_size, block_cycles,
disk_version. By `request`:

    format      the reply brings an empty store
    trees       `kinds`: attribute types to look for. The reply holds `found` and `repaired`, the tree before and after
                the C littlefs's own repair, as lines like read_back.py's, and brings the repaired image
    change      `changes`: a list as apply.py takes it. The reply brings the image. Where `cut` is a number, the power
                goes off in between: only the first writes (programs and erases) reach the image, `cut` modulo one more
                than there were. The reply holds their number, `kept`, all writes, `writes`, and `done`, how many changes
                were complete by then

A request that fails is answered with `error`, and no image.
"""

import json
import os
import sys
from bisect import bisect_right
from typing import BinaryIO

from littlefs import LittleFS, LittleFSError, UserContext

from apply import apply
from c_littlefs import Image


class Recorder(UserContext):
    """A device that keeps every write. (The methods of the base class spend their time on logging.)"""

    def __init__(self, buffer: bytearray) -> None:
        super().__init__(buffer=buffer)
        self.writes: list[tuple[int, bytes]] = []

    def read(self, cfg, block: int, off: int, size: int) -> bytearray:
        start = block * cfg.block_size + off
        return self.buffer[start : start + size]

    def prog(self, cfg, block: int, off: int, data: bytes) -> int:
        self._write(block * cfg.block_size + off, bytes(data))
        return 0

    def erase(self, cfg, block: int) -> int:
        self._write(block * cfg.block_size, b"\xff" * cfg.block_size)
        return 0

    def _write(self, start: int, data: bytes) -> None:
        self.buffer[start : start + len(data)] = data
        self.writes.append((start, data))


def mounted(device: Recorder, settings: dict) -> Image:
    """The image on the device; its number of blocks is the superblock's."""
    return Image(device, **{name: value for name, value in settings.items() if name != "block_count"})


def format_image(settings: dict) -> tuple[dict, bytes]:
    device = Recorder(bytearray(b"\xff" * (settings["block_size"] * settings["block_count"])))
    LittleFS(context=device, mount=False, read_size=1, lookahead_size=64, **settings).format()
    return {}, device.buffer


def trees(image: bytes, request: dict) -> tuple[dict, bytes]:
    device = Recorder(bytearray(image))
    mount = mounted(device, request["settings"])
    # Before its repair it can list an entry that it does not find.
    found = mount.tree(request["kinds"], found_only=True)
    if device.writes:
        raise ValueError("reading wrote to the device")
    mount.fs.fs_mkconsistent()
    repaired = mount.tree(request["kinds"])
    mount.fs.unmount()
    return {"found": lines(found), "repaired": lines(repaired)}, device.buffer


def change(image: bytes, request: dict) -> tuple[dict, bytes]:
    device = Recorder(bytearray(image))
    mount = mounted(device, request["settings"])
    # By change: the number of writes when it was complete.
    ends = []
    for one in request["changes"]:
        try:
            apply(mount, one)
        except LittleFSError as error:
            raise ValueError(f"{one}: {error}") from error
        ends.append(len(device.writes))
    mount.fs.unmount()
    writes = len(device.writes)
    kept = writes
    result = device.buffer
    if request["cut"] is not None:
        kept = request["cut"] % (writes + 1)
        result = bytearray(image)
        for start, data in device.writes[:kept]:
            result[start : start + len(data)] = data
    return {"writes": writes, "kept": kept, "done": bisect_right(ends, kept)}, result


def lines(tree: list[str]) -> str:
    return "".join(line + "\n" for line in tree)


def answer(request: dict, image: bytes) -> tuple[dict, bytes]:
    match request["request"]:
        case "format":
            return format_image(request["settings"])
        case "trees":
            return trees(image, request)
        case "change":
            return change(image, request)
        case other:
            raise ValueError(f"unknown request {other!r}")


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    for line in requests:
        request = json.loads(line)
        image = requests.read(request["image"])
        try:
            reply, image = answer(request, image)
        except (OSError, ValueError, KeyError, LittleFSError) as error:
            reply, image = {"error": repr(error)}, b""
        reply["image"] = len(image)
        replies.write(json.dumps(reply).encode() + b"\n" + image)
        replies.flush()


def main() -> int:
    # The C library may print on standard output what it repairs: that must not get between the replies.
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, replies)
    return 0


if __name__ == "__main__":
    sys.exit(main())
