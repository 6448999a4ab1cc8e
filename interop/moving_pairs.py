#!/usr/bin/env python3
"""A fault of the C littlefs's own, shown with C alone: exits 0 where it shows it, 1 where it does not.

Where pairs move often so that blocks wear evenly (block_cycles), a rename of a file that is there, into a directory that
is there, says "no such entry", and has renamed the file all the same. No power is lost.
"""

import sys

from littlefs import LittleFS, LittleFSError, UserContext

from c_littlefs import version_line

SIZES = {"block_size": 256, "block_count": 256, "read_size": 1, "prog_size": 16, "cache_size": 256, "lookahead_size": 32}

# A number is the size of a new file, `None` makes a directory, a path renames to it, and "" removes.
CHANGES: list[tuple[str, int | None | str]] = [
    ("/0d", 12), ("/2d", 9), ("/35", 20), ("/37", 17), ("/24", 9), ("/35", ""), ("/19", None), ("/39", 3),
    ("/19", "/1c"), ("/02", None), ("/2d", "/1c/3a"), ("/1c/32", None), ("/03", None), ("/03/1f", None),
    ("/1c", "/03/1f/27"), ("/03/1f/27/32", "/0c"), ("/3b", None), ("/03", "/0e"), ("/3b/2b", 15),
    ("/0c", "/3b/12"), ("/3b/32", 25), ("/0e/1f/1e", 15), ("/3b/21", None),
]  # fmt: skip
SOURCE, TARGET = "/0e/1f/1e", "/3b/25"


def make(fs: LittleFS, path: str, change: int | None | str) -> None:
    match change:
        case None:
            fs.mkdir(path)
        case "":
            fs.remove(path)
        case str():
            fs.rename(path, change)
        case int():
            with fs.open(path, "wb") as file:
                file.write(b"x" * change)


def there(fs: LittleFS, path: str) -> bool:
    try:
        fs.stat(path)
    except LittleFSError:
        return False
    return True


def fails(block_cycles: int) -> bool:
    """Whether the last rename does."""
    device = UserContext(SIZES["block_size"] * SIZES["block_count"])
    fs = LittleFS(context=device, mount=False, block_cycles=block_cycles, **SIZES)
    fs.format()
    fs.mount()
    for path, change in CHANGES:
        make(fs, path, change)
    print(f"block_cycles {block_cycles}: {SOURCE} there: {there(fs, SOURCE)}, {TARGET} there: {there(fs, TARGET)}")
    try:
        fs.rename(SOURCE, TARGET)
    except LittleFSError as error:
        print(f"  rename: {error}; {SOURCE} there: {there(fs, SOURCE)}, {TARGET} there: {there(fs, TARGET)}")
        return True
    print("  rename: done")
    return False


def main() -> int:
    print(version_line(), file=sys.stderr)
    return 0 if fails(1) and not fails(-1) else 1


if __name__ == "__main__":
    sys.exit(main())
