#!/usr/bin/env python3
"""Restores one round of a volume from a Tranship archive in a directory, without Tranship.

    TRANSHIP_KEY=base64 extract.py STORE LINEAGE VOLUME ROUND TARGET

STORE is the directory that holds `lineages/` (download a bucket first). TARGET is an empty directory, or a file or device for block volumes. Needs
Python 3.9, the package `cryptography`, and zstd: Python 3.14, the package `zstandard`, or the system's libzstd. docs/archive-format.md explains every step.
"""
import base64, ctypes, ctypes.util, hashlib, hmac, json, os, stat, struct, sys

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LARGEST = 8 << 20
LARGEST_ROUND = 64 << 20


def load_zstd():
    try:
        from compression import zstd
        return lambda data, size: zstd.decompress(data)
    except ImportError:
        pass
    try:
        import zstandard
        return lambda data, size: zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except ImportError:
        pass
    library = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
    library.ZSTD_decompress.restype = ctypes.c_size_t
    library.ZSTD_isError.argtypes = [ctypes.c_size_t]

    def decompress(data, size):
        into = ctypes.create_string_buffer(max(1, size))
        got = library.ZSTD_decompress(into, ctypes.c_size_t(max(1, size)), data, ctypes.c_size_t(len(data)))
        if library.ZSTD_isError(got):
            raise ValueError("damaged: zstd")
        return into.raw[:got]

    return decompress


unzstd = load_zstd()


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Archive:
    def __init__(self, store, lineage, key, volume):
        self.base = os.path.join(store, "lineages", lineage)
        self.lineage, self.key, self.volume = lineage, key, volume
        with open(os.path.join(self.base, "lineage.json")) as file:
            document = json.load(file)
        if document["version"] != 1:
            sys.exit("unknown format version")
        if document["keyCheck"] != mac(key, "tranship v1 key check").hex()[:32]:
            sys.exit("the key is not the key of this lineage")
        self.volume_id = mac(mac(key, "tranship v1 names"), "volume\n" + volume).hex()[:32]

    def round(self, number):
        name = f"lineages/{self.lineage}/volumes/{self.volume_id}/rounds/{number:06d}"
        with open(os.path.join(self.base, "volumes", self.volume_id, "rounds", f"{number:06d}"), "rb") as file:
            sealed = file.read(2 * LARGEST_ROUND)
        length = struct.unpack(">I", sealed[4:8])[0]
        if sealed[:4] != b"TRD1" or length > LARGEST_ROUND:
            raise ValueError("damaged: round document")
        place = f"tranship v1 document\n{name}\n{length}".encode()
        plain = AESGCM(mac(self.key, "tranship v1 documents")).decrypt(sealed[8:20], sealed[20:], place)
        document = json.loads(unzstd(plain, length))
        if document["volume"] != self.volume or document["round"] != number or document["version"] != 1:
            raise ValueError("damaged: another round")
        return document

    def chunk(self, reference):
        digest, pack, offset, stored, plain_length, codec = reference
        number, ident = pack.split(".")
        if plain_length > LARGEST or stored > LARGEST + 16 or not (len(ident) == 32 and all(c in "0123456789abcdef" for c in ident)):
            raise ValueError("damaged: reference")
        with open(os.path.join(self.base, "volumes", self.volume_id, "packs", f"{int(number):06d}", ident), "rb") as file:
            file.seek(offset)
            sealed = file.read(stored)
        key = mac(self.key, f"tranship v1 pack\n{self.lineage}\n{pack}")
        place = f"tranship v1 chunk\n{self.lineage}\n{pack}\n{offset}\n{plain_length}\n{codec}".encode()
        plain = AESGCM(key).decrypt(bytes(8) + struct.pack(">I", offset), sealed, place)
        if codec == 1:
            plain = unzstd(plain, plain_length)
        if len(plain) != plain_length or base64.b64encode(hashlib.sha256(plain).digest()).decode() != digest:
            raise ValueError("damaged: chunk")
        return plain

    def entries(self, document):
        for shard in document["shards"]:
            for line in self.chunk(shard).decode().splitlines():
                yield json.loads(line)

    def content(self, entry):
        yield from entry.get("chunks", [])
        for _, reference in entry.get("lists", []):
            yield from json.loads(self.chunk(reference))


def confined(path):
    parts = path.split(b"/")
    if path and any(part in (b"", b".", b"..") or b"\0" in part for part in parts):
        raise ValueError("a path leaves the volume")
    return path


def fill(archive, entry, file, chunk_size):
    for number, reference in archive.content(entry):
        file.seek(number * chunk_size)
        file.write(archive.chunk(reference))


def attributes(path, entry):
    os.chown(path, entry["uid"], entry["gid"], follow_symlinks=False)
    for name, value in entry.get("xattrs", []):
        os.setxattr(path, name.encode("latin1"), base64.b64decode(value), follow_symlinks=False)
    if entry["type"] != "symlink":
        os.chmod(path, entry["mode"])
    when = entry["mtime"][0] * 10**9 + entry["mtime"][1]
    os.utime(path, ns=(when, when), follow_symlinks=False)


def extract(archive, document, target):
    links, directories = [], []
    if document["mode"] == "Block":
        entry = next(archive.entries(document))
        with open(target, "r+b" if os.path.exists(target) else "w+b") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.truncate(0)
                file.truncate(entry["size"])
            fill(archive, entry, file, document["chunkSize"])
        return
    # Relative to the working directory: paths that are longer than PATH_MAX are beyond this small program.
    os.chdir(target)
    for entry in archive.entries(document):
        path = confined(entry["path"].encode("latin1")) or b"."
        kind = entry["type"]
        if kind == "hardlink":
            links.append((confined(entry["link"].encode("latin1")), path))
            continue
        if kind == "directory":
            if path != b".":
                os.mkdir(path)
            directories.append((path, entry))
            continue
        if kind == "symlink":
            os.symlink(entry["link"].encode("latin1"), path)
        elif kind == "file":
            with open(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_NOFOLLOW), "r+b") as file:
                file.truncate(entry["size"])
                fill(archive, entry, file, document["chunkSize"])
        else:
            node = {"fifo": stat.S_IFIFO, "character": stat.S_IFCHR, "block": stat.S_IFBLK}[kind]
            os.mknod(path, node | 0o600, os.makedev(*entry.get("rdev", (0, 0))))
        attributes(path, entry)
    for first, path in links:
        os.link(first, path, follow_symlinks=False)
    for path, entry in directories:
        attributes(path, entry)


if __name__ == "__main__":
    if len(sys.argv) != 6:
        sys.exit(__doc__)
    store, lineage, volume, number, target = sys.argv[1:]
    archive = Archive(store, lineage, base64.b64decode(os.environ["TRANSHIP_KEY"]), volume)
    extract(archive, archive.round(int(number)), target)
