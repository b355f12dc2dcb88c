"""Frames: what a segment of the log consists of; each holds the records of one drain, sealed.

A frame is a header and a payload. The payload is AES-GCM over the zstd of the records, each
with its length before it. The header says how long everything is and carries the number of the key
and the salt that the segment's key is derived with; its crc covers header and payload, so that a torn or
damaged frame is known without a key. Segment and offset are authenticated: a frame moved
elsewhere does not open. A closed segment ends with an empty frame.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from cryptography.exceptions import InvalidTag

from spira.storage.files import Files
from spira.storage.keys import Keys, hkdf
from spira.storage.sealing import cipher

MAGIC = b"\xd5SPf"
VERSION = 1
FIRST_KEY = 1  # of the keys that a workspace is made with; written as 0 before keys were changed
END = 1  # the flag of the empty frame that closes a segment
SALT_BYTES = 16
LARGEST = 256 * 1024 * 1024
_HEAD = struct.Struct(">4sBBHIIII16s")  # magic version flags key counter stored raw records salt
_CRC = struct.Struct(">I")
HEADER = _HEAD.size + _CRC.size
_NONCE = struct.Struct(">4xQ")
_PLACE = struct.Struct(">QQ")
_LENGTH = struct.Struct(">I")
_BLOCK = 1024 * 1024
_TAG = 16
SEALED = "can't be unsealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A whole frame as it lies in a file: intact, and still sealed."""

    segment: int
    offset: int
    head: bytes
    payload: bytes
    counter: int
    raw: int
    records: int
    salt: bytes
    key: int
    is_end: bool

    @property
    def after(self) -> int:
        """Where the next frame begins."""
        return self.offset + HEADER + len(self.payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A stretch of a segment that can't be read, and why."""

    segment: int
    offset: int
    length: int
    why: str


class Sealer:
    """Makes the frames of one segment, whose key no other segment has."""

    def __init__(self, keys: Keys, segment: int, salt: bytes) -> None:
        self._key = keys.current
        self._cipher = cipher(_segment_key(keys, segment, salt, self._key))
        self._codec = pa.Codec("zstd", compression_level=1)
        self._segment, self._salt = segment, salt
        self._counter = 0

    def frame(self, records: Sequence[bytes], *, offset: int, flags: int = 0) -> bytes:
        """The frame of `records` for a place in the segment. No two frames share a nonce."""
        raw = b"".join(part for record in records for part in (_LENGTH.pack(len(record)), record))
        packed = self._codec.compress(raw, asbytes=True)
        head = _HEAD.pack(
            MAGIC, VERSION, flags, self._key, self._counter, len(packed) + _TAG, len(raw), len(records), self._salt
        )
        context = head + _PLACE.pack(self._segment, offset)
        payload = self._cipher.encrypt(_NONCE.pack(self._counter), packed, context)
        self._counter += 1
        return head + _CRC.pack(zlib.crc32(payload, zlib.crc32(head))) + payload


def unseal(keys: Keys, frame: Frame) -> list[bytes] | None:
    """The records of a frame, or None when the keys do not open it."""
    if frame.key not in keys.sealing:
        return None
    opener = cipher(_segment_key(keys, frame.segment, frame.salt, frame.key))
    context = frame.head + _PLACE.pack(frame.segment, frame.offset)
    try:
        packed = opener.decrypt(_NONCE.pack(frame.counter), frame.payload, context)
    except InvalidTag:
        return None
    raw = pa.Codec("zstd").decompress(packed, decompressed_size=frame.raw, asbytes=True) if frame.raw else b""
    return list(_split(raw))


class Segment:
    """One file of the log, read a block at a time; what was its size when opened is all that is seen."""

    def __init__(self, files: Files, path: Path, number: int) -> None:
        self.number = number
        try:
            self.size = files.size(path)
        except FileNotFoundError:  # it was empty or loaded, and removed since it was listed
            self.size = 0
        self._files, self._path = files, path
        self._block, self._start = b"", 0

    def at(self, offset: int) -> Frame | None:
        """The intact frame that begins at `offset`, or None."""
        head = self._bytes(offset, HEADER)
        if len(head) < HEADER or not head.startswith(MAGIC):
            return None
        _, version, flags, key, counter, stored, raw, records, salt = _HEAD.unpack_from(head)
        if version != VERSION or stored > LARGEST or raw > LARGEST:
            return None
        payload = self._bytes(offset + HEADER, stored)
        (crc,) = _CRC.unpack_from(head, _HEAD.size)
        if len(payload) < stored or zlib.crc32(payload, zlib.crc32(head[: _HEAD.size])) != crc:
            return None
        return Frame(
            segment=self.number,
            offset=offset,
            head=head[: _HEAD.size],
            payload=payload,
            counter=counter,
            raw=raw,
            records=records,
            salt=salt,
            key=key or FIRST_KEY,
            is_end=bool(flags & END),
        )

    def next_after(self, offset: int) -> Frame | None:
        """The first intact frame that begins later than `offset`."""
        for place in self._magics(offset + 1):
            if found := self.at(place):
                return found
        return None

    def end(self) -> int:
        """Where the last intact frame ends."""
        place = 0
        while frame := self.at(place) or self.next_after(place):
            place = frame.after
        return place

    def _magics(self, offset: int) -> Iterator[int]:
        """Where the mark of a frame occurs, also by chance."""
        while offset < self.size:
            block = self._bytes(offset, _BLOCK)
            place = block.find(MAGIC)
            if place >= 0:
                yield offset + place
                offset += place + 1
            else:
                offset += max(len(block) - len(MAGIC) + 1, 1)

    def _bytes(self, offset: int, length: int) -> bytes:
        length = max(0, min(length, self.size - offset))
        if not self._start <= offset <= offset + length <= self._start + len(self._block):
            self._block = self._files.read(self._path, offset, min(max(length, _BLOCK), self.size - offset))
            self._start = offset
        return self._block[offset - self._start : offset - self._start + length]


def walk(segment: Segment, offset: int, keys: Keys) -> Iterator[tuple[Frame, list[bytes]] | Damage]:
    """The frames of a segment with their records, and the damage between them; a torn tail is simply the end."""
    while offset < segment.size:
        frame = segment.at(offset) or segment.next_after(offset)
        if frame is None:
            return
        if frame.offset > offset:
            yield Damage(segment=segment.number, offset=offset, length=frame.offset - offset, why="damaged")
        lot = unseal(keys, frame)
        if lot is None:
            length = frame.after - frame.offset
            yield Damage(segment=segment.number, offset=frame.offset, length=length, why=SEALED)
        else:
            yield frame, lot
        offset = frame.after


def batches(records: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    """Records in lots of about `size` bytes, one at least in each."""
    lot: list[bytes] = []
    held = 0
    for record in records:
        if lot and held + len(record) > size:
            yield lot
            lot, held = [], 0
        lot.append(record)
        held += len(record) + _LENGTH.size
    if lot:
        yield lot


def key_number(files: Files, path: Path) -> int | None:
    """The number of the key that a segment's first frame was sealed with; None where there is no frame."""
    head = files.read(path, 0, _HEAD.size)
    whole = len(head) == _HEAD.size and head.startswith(MAGIC)
    return int(_HEAD.unpack(head)[3]) or FIRST_KEY if whole else None


def _segment_key(keys: Keys, segment: int, salt: bytes, number: int) -> bytes:
    """The first key is derived from the log's own, every later one from the sealing key of its number."""
    own = keys.log_key if number == FIRST_KEY else keys.sealing[number]
    return hkdf(own, info=f"segment {segment}".encode(), salt=salt)


def _split(raw: bytes) -> Iterator[bytes]:
    place = 0
    while place < len(raw):
        (length,) = _LENGTH.unpack_from(raw, place)
        place += _LENGTH.size
        yield raw[place : place + length]
        place += length
