#!/usr/bin/env python3
"""Checks a transparency log that was exported as a C2SP tlog-tiles folder.

    check_tlog_tiles.py FOLDER VKEY

Needs python3 and the openssl command only. It is written from the specifications (signed-note,
tlog-checkpoint, tlog-tiles, RFC 6962) and shares nothing with Schakel's own code, so that the two
can be held against each other.

It checks that
  - the checkpoint is signed by VKEY, which must also be the key of the checkpoint's origin;
  - the folder holds exactly the tiles and entry bundles of a tree of that size, also partial ones;
  - every entry hashes to its place in a level 0 tile;
  - every hash of a higher tile is the root of the full tile below it;
  - the tiles together have the root that the checkpoint signs.
Exit code 0 with one sentence of what holds, 1 with one sentence of what does not, 2 on wrong usage.
"""

import base64
import binascii
import hashlib
import os
import subprocess
import sys
import tempfile

WIDTH = 256
ED25519_SPKI_PREFIX = bytes.fromhex("302a300506032b6570032100")  # RFC 8410


class Wrong(Exception):
    """What does not hold, as a sentence."""


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(entry):
    return sha256(b"\x00" + entry)


def tree_root(hashes):
    """RFC 6962's root over nodes of one level. The split of a range of n nodes is the largest power
    of two below n, whatever the level."""
    if not hashes:
        return sha256(b"")
    if len(hashes) == 1:
        return hashes[0]
    split = 1
    while split * 2 < len(hashes):
        split *= 2
    return sha256(b"\x01" + tree_root(hashes[:split]) + tree_root(hashes[split:]))


def from_base64(text, what):
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong(f"{what} is not base64") from None
    if base64.b64encode(raw).decode() != text:
        raise Wrong(f"{what} is not canonical base64")
    return raw


def ed25519_holds(public_key, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for name, data in (("key", ED25519_SPKI_PREFIX + public_key), ("message", message),
                           ("signature", signature)):
            names[name] = os.path.join(folder, name)
            with open(names[name], "wb") as file:
                file.write(data)
        run = subprocess.run(
            ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", names["key"],
             "-rawin", "-in", names["message"], "-sigfile", names["signature"]],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return run.returncode == 0


def parse_vkey(vkey):
    """name+hex key id+base64(0x01 || public key)"""
    parts = vkey.split("+", 2)
    if len(parts) != 3 or not parts[0]:
        raise Wrong("the verifier key is not name+id+key")
    name, key_id, encoded = parts
    raw = from_base64(encoded, "the verifier key")
    if len(raw) != 33 or raw[0] != 1:
        raise Wrong("the verifier key is not an Ed25519 key")
    if sha256(name.encode() + b"\n" + raw)[:4].hex() != key_id:
        raise Wrong("the verifier key's id is not that of its name and key")
    return name, bytes.fromhex(key_id), raw[1:]


def read_checkpoint(path, vkey):
    name, key_id, public_key = parse_vkey(vkey)
    try:
        with open(path, "rb") as file:
            note = file.read()
    except OSError:
        raise Wrong("the folder has no checkpoint") from None
    cut = note.rfind(b"\n\n")
    if cut < 0 or not note.endswith(b"\n"):
        raise Wrong("the checkpoint is not a signed note")
    text = note[:cut + 1]
    verified = False
    for line in note[cut + 2:-1].decode("utf-8", "strict").split("\n"):
        fields = line.split(" ")
        if len(fields) != 3 or fields[0] != "\u2014":
            raise Wrong("the checkpoint has a malformed signature line")
        raw = from_base64(fields[2], "a signature of the checkpoint")
        if fields[1] != name or raw[:4] != key_id:
            continue
        if len(raw) != 68 or not ed25519_holds(public_key, text, raw[4:]):
            raise Wrong("the checkpoint's signature does not hold")
        verified = True
    if not verified:
        raise Wrong("the checkpoint is not signed by the key that was given")
    lines = text.decode("utf-8", "strict").split("\n")
    if len(lines) != 4 or lines[3]:
        raise Wrong("the checkpoint is not exactly three lines")
    if lines[0] != name:
        raise Wrong("the checkpoint is of another log than the key")
    if not lines[1].isascii() or not lines[1].isdigit() or str(int(lines[1])) != lines[1]:
        raise Wrong("the checkpoint's size is not a number")
    root = from_base64(lines[2], "the checkpoint's root")
    if len(root) != 32:
        raise Wrong("the checkpoint's root is not 32 bytes")
    return lines[0], int(lines[1]), root


def tile_name(kind, index, width):
    digits = str(index)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[i:i + 3] for i in range(0, len(digits), 3)]
    path = "/".join(["tile", kind] + ["x" + group for group in groups[:-1]] + groups[-1:])
    return path if width == WIDTH else f"{path}.p/{width}"


def widths(count):
    """The widths of the tiles that hold `count` nodes."""
    return [WIDTH] * (count // WIDTH) + ([count % WIDTH] if count % WIDTH else [])


class Folder:
    def __init__(self, path):
        self.path = path
        self.read_names = {"checkpoint"}

    def read(self, name):
        self.read_names.add(name)
        try:
            with open(os.path.join(self.path, name), "rb") as file:
                return file.read()
        except OSError:
            raise Wrong(f"{name} is missing") from None

    def check_nothing_else(self):
        for base, _, files in os.walk(self.path):
            for file in files:
                name = os.path.relpath(os.path.join(base, file), self.path)
                if name not in self.read_names:
                    raise Wrong(f"{name} does not belong to a tree of this size")


def read_tile(folder, kind, index, width):
    name = tile_name(kind, index, width)
    data = folder.read(name)
    if len(data) != 32 * width:
        raise Wrong(f"{name} is not {width} hashes long")
    return name, [data[i:i + 32] for i in range(0, len(data), 32)]


def read_bundle(folder, index, width):
    name = tile_name("entries", index, width)
    data = folder.read(name)
    entries = []
    while data:
        length = int.from_bytes(data[:2], "big")
        if len(data) < 2 + length:
            raise Wrong(f"{name} ends inside an entry")
        entries.append(data[2:2 + length])
        data = data[2 + length:]
    if len(entries) != width:
        raise Wrong(f"{name} has {len(entries)} entries and not {width}")
    return name, entries


def check(path, vkey):
    origin, size, root = read_checkpoint(os.path.join(path, "checkpoint"), vkey)
    folder = Folder(path)

    # What the tiles of this level must hold, as the level below gives it; None: unknown yet.
    expected = []
    for index, width in enumerate(widths(size)):
        _, entries = read_bundle(folder, index, width)
        expected.extend(leaf_hash(entry) for entry in entries)

    level, count = 0, size
    rest = []  # the nodes of each level that are not yet part of a full tile, lowest level first
    while count:
        above = []
        partial = []
        for index, width in enumerate(widths(count)):
            name, hashes = read_tile(folder, str(level), index, width)
            for i, found in enumerate(hashes):
                if found != expected[index * WIDTH + i]:
                    what = (f"the entry at index {index * WIDTH + i}" if level == 0 else
                            f"the tile {tile_name(str(level - 1), index * WIDTH + i, WIDTH)}")
                    raise Wrong(f"{name} does not agree with {what}")
            if width == WIDTH:
                above.append(tree_root(hashes))
            else:
                partial = hashes
        rest.append(partial)
        expected, count, level = above, count // WIDTH, level + 1

    # From the top: whole subtrees on the left, what is left over on their right.
    computed = None
    for nodes in rest:
        # Cut the row into perfect subtrees, and hang what lies right of it beneath the last one.
        while nodes:
            low = len(nodes) & -len(nodes)
            subtree = tree_root(nodes[-low:])
            computed = subtree if computed is None else sha256(b"\x01" + subtree + computed)
            nodes = nodes[:-low]
    if computed is None:
        computed = sha256(b"")
    if computed != root:
        raise Wrong("the tiles' root is not the one that the checkpoint signs")
    folder.check_nothing_else()
    return (f"OK: {size} entries of {origin}: signature, entries, tiles and root "
            f"{base64.b64encode(root).decode()} hold.")


def main(arguments):
    if len(arguments) != 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        print(check(arguments[1], arguments[2]))
        return 0
    except Wrong as wrong:
        print(f"WRONG: {wrong}.")
    except UnicodeDecodeError:
        print("WRONG: the checkpoint is not UTF-8.")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
