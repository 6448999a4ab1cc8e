"""The C littlefs on an image, through the Python package littlefs-python."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from littlefs import LittleFS, LittleFSError, UserContext
from littlefs.lfs import __LFS_DISK_VERSION__, __LFS_VERSION__, LFSStat

# littlefs names are bytes. Latin-1 maps each byte to one character and back.
BYTES = "latin-1"


def version_line() -> str:
    """Which C littlefs is at work, for people."""
    library = ".".join(map(str, __LFS_VERSION__))
    disk = ".".join(map(str, __LFS_DISK_VERSION__))
    return f"C littlefs {library}, disk version {disk} (littlefs-python {version('littlefs-python')})"


class Image:
    """An image on a device in memory, mounted by the C littlefs."""

    def __init__(
        self,
        device: UserContext,
        block_size: int,
        prog_size: int,
        cache_size: int | None = None,
        block_cycles: int = -1,
        disk_version: int = 0,
    ) -> None:
        self.device = device
        # mount=True would format what it cannot mount. A block count of 0 is taken from the superblock; the program
        # size is what commits are aligned to; a disk version of 0 is the newest.
        self.fs = LittleFS(
            context=device,
            mount=False,
            filename_encoding=BYTES,
            block_size=block_size,
            block_count=0,
            read_size=1,
            prog_size=prog_size,
            cache_size=cache_size or block_size,
            lookahead_size=64,
            block_cycles=block_cycles,
            disk_version=disk_version,
        )
        self.fs.mount()

    @classmethod
    def from_file(cls, path: Path, block_size: int, prog_size: int) -> "Image":
        """The image in a file, which stays as it is until `save`."""
        return cls(UserContext(buffer=bytearray(path.read_bytes())), block_size, prog_size)

    def save(self, path: Path) -> None:
        """Unmounts and writes the image to a file."""
        self.fs.unmount()
        path.write_bytes(self.device.buffer)

    def tree(self, attribute_kinds: Iterable[int], found_only: bool = False) -> list[str]:
        """One JSON object for each entry, in the form and the order of `cutpoint image tree --json`.

        The library cannot list attributes, only look for one: `attribute_kinds` are those looked for. With `found_only`
        what is listed but cannot be found by its name is left out; else it is an error.
        """
        kinds = sorted(attribute_kinds)
        entries = sorted(self._below(b"", found_only), key=lambda entry: entry[0])
        return [_json_line(path, content, self._attributes(path, kinds)) for path, content in entries]

    def _below(self, directory: bytes, found_only: bool) -> Iterator[tuple[bytes, bytes | None]]:
        for stat in self.fs.scandir(text(directory or b"/")):
            path = directory + b"/" + stat.name.encode(BYTES)
            if found_only and not self._is_found(path):
                continue
            if stat.type == LFSStat.TYPE_DIR:
                yield path, None
                yield from self._below(path, found_only)
            else:
                with self.fs.open(text(path), "rb") as file:
                    content = file.read()
                if len(content) != stat.size:
                    raise ValueError(f"{path!r}: {stat.size} bytes by stat, {len(content)} read")
                yield path, content

    def _is_found(self, path: bytes) -> bool:
        try:
            self.fs.stat(text(path))
        except LittleFSError as error:
            if error.code != LittleFSError.Error.LFS_ERR_NOENT:
                raise
            return False
        return True

    def _attributes(self, path: bytes, kinds: list[int]) -> dict[str, str]:
        found = {}
        for kind in kinds:
            try:
                found[f"{kind:02x}"] = self.fs.getattr(text(path), kind).hex()
            except LittleFSError as error:
                if error.code != LittleFSError.Error.LFS_ERR_NOATTR:
                    raise
        return found


def text(path: bytes) -> str:
    """A path as the binding wants it."""
    return path.decode(BYTES)


def _json_line(path: bytes, content: bytes | None, attributes: dict[str, str]) -> str:
    entry = {"path": path.decode("utf-8", "replace"), "path_hex": path.hex()}
    if content is None:
        entry["type"] = "dictionary"
    else:
        entry["type"] = "value"
        entry["size"] = len(content)
        entry["sha256"] = hashlib.sha256(content).hexdigest()
    entry["attributes"] = attributes
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
