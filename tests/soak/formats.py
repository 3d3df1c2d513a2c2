"""Reads packs, sticks, manifests and recipes from their format pages alone (schemas/record.md, pack.md, stick.md,
manifest.md, recipe.md). It shares no code with the program, so that the soaks can contradict it."""
import ctypes
import hashlib
import os
import struct

RECORD_HEADER = struct.Struct("<IIBBHIII32s")
RECORD_MAGIC = 0x43455253  # "SREC"
PACK_HEADER_SIZE = 64
PACK_BLOCK = 4096  # a commit of a pack ends in zeros up to the next one
OBJECT_MAX = 4 * 1024 * 1024
CHUNK, COMMIT, FREIGHT = 1, 2, 3
RAW, ZSTD = 0, 1
SMALL, MEDIA = 1, 2
LARGEST_CHUNK = {SMALL: 96 * 1024, MEDIA: 384 * 1024}
FILE, DIRECTORY = 1, 2
LANE_BATCH = 3

_zstd = ctypes.CDLL("libzstd.so.1")
_zstd.ZSTD_decompress.restype = ctypes.c_size_t
_zstd.ZSTD_decompress.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]


class Malformed(Exception):
    pass


def hash_of(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_CRC = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


class Record:
    def __init__(self, place, kind, codec, stored, raw, ident, payload):
        self.place, self.kind, self.codec, self.stored, self.raw = place, kind, codec, stored, raw
        self.id, self.payload = ident, payload

    def plain(self):
        if self.codec == RAW:
            data = self.payload
        else:
            room = ctypes.create_string_buffer(max(1, self.raw))
            size = _zstd.ZSTD_decompress(room, self.raw, self.payload, len(self.payload))
            if size != self.raw:
                raise Malformed(f"the record at {self.place} does not unpack")
            data = room.raw[: self.raw]
        if len(data) != self.raw or hash_of(data) != self.id:
            raise Malformed(f"the record at {self.place} does not hash to its id")
        return data


def records_of(data, start, block=1):
    """The whole records from `start` on, one behind the other or, behind zeros, at the next block."""
    place = start
    while place + RECORD_HEADER.size <= len(data):
        padding = -place % block
        if not data[place: place + 4].strip(b"\0") and not data[place: place + padding].strip(b"\0") and padding:
            place += padding
            continue
        fields = RECORD_HEADER.unpack_from(data, place)
        magic, crc, kind, codec, _, stored, raw, _, ident = fields
        if magic != RECORD_MAGIC or crc32c(data[place + 8: place + RECORD_HEADER.size]) != crc:
            return
        begin = place + RECORD_HEADER.size
        if stored > OBJECT_MAX or begin + stored > len(data):
            return
        yield Record(place, kind, codec, stored, raw, ident, data[begin: begin + stored])
        place = begin + stored


class Store:
    """Every object in the packs of a site."""

    def __init__(self, folder):
        self.objects = {}
        for name in sorted(os.listdir(folder)):
            if not name.endswith(".pack"):
                continue
            with open(os.path.join(folder, name), "rb") as pack:
                data = pack.read()
            if data[:4] != b"SPAK":
                raise Malformed(f"{name} is not a pack")
            for record in records_of(data, PACK_HEADER_SIZE, PACK_BLOCK):
                self.objects.setdefault(record.id, record)

    def read(self, ident):
        return self.objects[ident].plain()

    def stored(self, ident):
        return self.objects[ident].stored


def volume_records(path):
    """The records of a stick's volume; its header ends where the first record begins."""
    with open(path, "rb") as volume:
        data = volume.read()
    first = data.find(struct.pack("<I", RECORD_MAGIC))
    return [] if first < 0 else list(records_of(data, first))


class Fields:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def raw(self, size):
        if size > self.left():
            raise Malformed("cut off")
        self.at += size
        return self.data[self.at - size: self.at]

    def u8(self):
        return self.raw(1)[0]

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def zigzag(self):
        value = self.varint()
        return value >> 1 ^ -(value & 1)


class Recipe:
    def __init__(self, data):
        fields = Fields(data)
        if fields.raw(4) != b"SRCI" or fields.u8() != 1:
            raise Malformed("not a recipe")
        self.chunk_class = fields.u8()
        self.extents = []  # (chunk, offset, length)
        while fields.left():
            tag = fields.varint()
            chunk, length = fields.raw(32), fields.varint()
            offset = fields.varint() if tag & 1 else 0
            self.extents += [(chunk, offset, length)] * ((tag >> 1) + 1)


class Entry:
    def __init__(self, path, kind, mode, mtime_ns):
        self.path, self.kind, self.mode, self.mtime_ns = path, kind, mode, mtime_ns
        self.size, self.extent, self.recipe = 0, None, None


def _path(fields, before):
    shared = fields.varint()
    return before[:shared] + fields.raw(fields.varint())


def _entry(fields, before):
    entry = Entry(_path(fields, before.path if before else b""), fields.u8(), fields.varint(), 0)
    stamp = (before.mtime_ns if before else 0) + fields.zigzag()
    entry.mtime_ns = (stamp + 2**63) % 2**64 - 2**63
    if entry.kind == FILE:
        entry.size = fields.varint()
        content = fields.u8()
        if content == 1:
            entry.extent = (fields.raw(32), fields.varint(), entry.size)
        elif content == 2:
            entry.recipe = fields.raw(32)
    return entry


class Edition:
    """A manifest, walked to its end: entries, and the objects that it needs besides the files' bytes."""

    def __init__(self, store, root):
        self.store, self.entries, self.nodes = store, [], []
        self._walk(root)

    def _walk(self, ident):
        self.nodes.append(ident)
        fields = Fields(self.store.read(ident))
        if fields.raw(4) != b"SMNF" or fields.u8() != 1:
            raise Malformed("not a manifest node")
        level, before, last = fields.u8(), None, b""
        while fields.left():
            if level == 0:
                before = _entry(fields, before)
                self.entries.append(before)
            else:
                last = _path(fields, last)
                self._walk(fields.raw(32))

    def content(self, entry):
        """Class, extents and recipe of a file."""
        if entry.recipe:
            recipe = Recipe(self.store.read(entry.recipe))
            return recipe.chunk_class, recipe.extents
        return SMALL, [entry.extent] if entry.extent else []

    def bytes_of(self, entry):
        cache, parts = {}, []
        for chunk, offset, length in self.content(entry)[1]:
            if chunk not in cache:
                cache[chunk] = self.store.read(chunk)
            parts.append(cache[chunk][offset: offset + length])
        return b"".join(parts)
