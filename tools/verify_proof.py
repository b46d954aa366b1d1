#!/usr/bin/env python3
"""Checks what `bavn proof` wrote, without bavn: Python's standard library and nothing else.

    verify_proof.py KEY FILE                    a proof of inclusion or of consistency
    verify_proof.py KEY FOLDER [CHECKPOINT]...  a copy of a store's folder `proof`: every entry, every
                                                tile, and whether it begins as kept checkpoints say
KEY is the log's key (`bavn proof key`), or a file that holds it. Take it, and checkpoints, from where
you kept them and not from whom you check. Exit: 0 proven, 1 not, 2 wrong command line.
"""
import base64, datetime, hashlib, os, struct, sys

# Ed25519, RFC 8032 section 5.1: verification only, points as (x, y) in extended coordinates.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
FIELDS = """reader/on behalf of/client/host/source/input/session/resource/purpose/reason/action/kind/found by\
/outcome/query/as the source wrote it""".split("/")

class Wrong(Exception):
    """What a proof does not show."""
def need(good, why):
    if not good:
        raise Wrong(why)
def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need(y < P and not (x * x - square) % P and (x or not sign), "a point is not on the curve")
    return P - x if x & 1 != sign else x
def point(data):
    y, sign = int.from_bytes(data, "little") & (2**255 - 1), data[31] >> 7
    x = recover_x(y, sign)
    return x, y, 1, x * y % P
def add(a, b):
    m, n = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    c, d = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % P, g * h % P, f * g % P, e * h % P
def times(number, a):
    result = (0, 1, 1, 0)
    for bit in bin(number)[2:]:
        result = add(add(result, result), a) if bit == "1" else add(result, result)
    return result
def is_signed(key, text, signature):
    need(len(signature) == 64, "a signature is cut")
    s = int.from_bytes(signature[32:], "little")
    base = point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    digest = hashlib.sha512(signature[:32] + key + text).digest()
    left, right = times(s, base), add(point(signature[:32]), times(int.from_bytes(digest, "little") % L, point(key)))
    differs = (left[0] * right[2] - right[0] * left[2]) % P or (left[1] * right[2] - right[1] * left[2]) % P
    return s < L and not differs

# Checkpoints: C2SP signed-note and tlog-checkpoint.
def decoded(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 with stray bits")
    return data
def read_key(given):
    text = open(given).read() if os.path.isfile(given) else given
    name, identity, key = text.strip().split("+", 2)
    key = decoded(key)
    is_key = len(key) == 33 and key[0] == 1 and sha(name.encode() + b"\n" + key)[:4].hex() == identity
    need(is_key, "KEY is no Ed25519 verifier key")
    return name, bytes.fromhex(identity), key[1:]
def read_checkpoint(note, key):
    name, identity, public = key
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    good = False
    for line in signatures.rstrip("\n").split("\n"):
        dash, signer, signature = line.split(" ")
        signature = decoded(signature)
        if dash == "\u2014" and signer == name and signature[:4] == identity:
            need(is_signed(public, text.encode(), signature[4:]), "the checkpoint's signature is wrong")
            good = True
    origin, size, root = text.split("\n")[:3]
    need(good and origin == name and str(int(size)) == size, "no checkpoint signed by this log's key")
    return int(size), decoded(root)

# Merkle trees: RFC 6962 section 2.1.
def sha(data):
    return hashlib.sha256(data).digest()
def node(left, right):
    return sha(b"\1" + left + right)
def fold(hashes):
    if len(hashes) < 2:
        return hashes[0] if hashes else sha(b"")
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return node(fold(hashes[:half]), fold(hashes[half:]))
def root_by_inclusion(low, high, index, leaf, path):
    if high - low == 1:
        return leaf
    half = low + (1 << (high - low - 1).bit_length() - 1)
    beside = path.pop()
    if index < half:
        return node(root_by_inclusion(low, half, index, leaf, path), beside)
    return node(beside, root_by_inclusion(half, high, index, leaf, path))
def roots_by_consistency(old, low, high, root, path):
    if old == high:
        known = root if low == 0 else path.pop()
        return known, known
    half = low + (1 << (high - low - 1).bit_length() - 1)
    beside = path.pop()
    if old <= half:
        then, now = roots_by_consistency(old, low, half, root, path)
        return then, node(now, beside)
    then, now = roots_by_consistency(old, half, high, root, path)
    return node(beside, then), node(beside, now)

def check_inclusion(text, key):
    head, note = text.split("\n\n", 1)
    size, root = read_checkpoint(note, key)
    lines = head.split("\n")
    need(lines[1][:6] + lines[2][:6] == "extra index ", "the lines `extra` and `index` are missing")
    extra, index, path = decoded(lines[1][6:]), int(lines[2][6:]), [decoded(line) for line in lines[3:]]
    entry, opening = (extra[:89], b"") if extra[0] == 2 else (extra[:33], extra[33:])
    need(0 <= index < size and str(index) == lines[2][6:], "the index is not one of the log")
    leads = root_by_inclusion(0, size, index, sha(b"\0" + entry), path) == root and not path
    need(leads, "the proof does not lead to the signed root")
    print(f"proven: entry {index} is in the log of {size} entries, root {root.hex()}")
    need(not opening or sha(opening) == entry[1:], "what is shown is not what the entry hides")
    if entry[0] == 2:
        commit, at, rows = struct.unpack(">QqQ", entry[1:25])
        print(f"it is commit {commit}, at {when(at)}, of a store with {rows} look-ups")
    elif opening:
        show(opening[16:])
def check_consistency(text, key):
    head, old_text, old_signatures, new = text.split("\n\n", 3)
    (old, old_root), (size, root) = (
        read_checkpoint(note, key) for note in (f"{old_text}\n\n{old_signatures}\n", new))
    path = [decoded(line) for line in head.split("\n")[1:]]
    roots = roots_by_consistency(old, 0, size, old_root, path) if 0 < old <= size else (old_root, root)
    need(old <= size and roots == (old_root, root) and not path, "the later log does not begin with the earlier")
    print(f"proven: the log of {size} entries begins with that of {old} entries, root {root.hex()}")
def when(micros):
    return str(datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=micros)) + " UTC"
def show(canonical):
    kind, _, rest = canonical.partition(b"\0")
    if kind == b"bavn statement 1": return print("statement:", rest.decode(errors="replace"))
    short = {b"bavn silence 1": ["silent source"], b"bavn retirement 1": ["retired", "by", "why", "of entries"]}
    at, fields, rest = rest[:8], short.get(kind), rest[17:] if kind in short else rest
    if not fields:
        at, fields, rest = rest[16:24], ["patient"] * struct.unpack(">I", rest[46:50])[0] + FIELDS, rest[50:]
    print(f"from: {when(struct.unpack('>q', at)[0])}")
    for field in fields:
        length, rest = struct.unpack(">Q", rest[:8])[0], rest[8:]
        if length < 2**64 - 1:
            print(f"{field}: {rest[:length].decode(errors='replace')}")
            rest = rest[length:]
def tile(folder, level, index, width):
    path, rest = f"{index % 1000:03}", index // 1000
    while rest:
        path, rest = f"x{rest % 1000:03}/{path}", rest // 1000
    path = os.path.join(folder, "tile", str(level), path + (f".p/{width}" if width < 256 else ""))
    with open(path, "rb") as file:
        return path, file.read()
def check_folder(folder, key, outside):
    size, root = read_checkpoint(open(os.path.join(folder, "checkpoint"), newline="", encoding="utf-8").read(), key)
    hashes = []
    for index in range((size + 255) // 256):
        path, data = tile(folder, "entries", index, min(256, size - index * 256))
        while data:
            length = struct.unpack(">H", data[:2])[0]
            hashes.append(sha(b"\0" + data[2 : 2 + length]))
            data = data[2 + length :]
    below, level = hashes, 0
    while below:
        for index in range((len(below) + 255) // 256):
            path, data = tile(folder, level, index, min(256, len(below) - index * 256))
            right = b"".join(below[index * 256 : index * 256 + 256])
            need(data == right, f"`{path}` does not hold the hashes of what lies below it")
        below, level = [fold(below[i : i + 256]) for i in range(0, len(below) - 255, 256)], level + 1
    need(len(hashes) == size and fold(hashes) == root, "the entries do not have the signed root")
    print(f"proven: {size} entries, every tile, root {root.hex()}")
    for path in outside:
        then, root = read_checkpoint(open(path, newline="", encoding="utf-8").read(), key)
        need(then <= size, f"rolled back: `{path}` counts {then} entries, the log {size}")
        need(fold(hashes[:then]) == root, f"another history: not that of `{path}` at {then} entries")
        print(f"proven: the log begins as `{path}` says, with {then} entries")

def main(arguments):
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        key = read_key(arguments[0])
        if os.path.isdir(arguments[1]):
            check_folder(arguments[1], key, arguments[2:])
        else:
            text = open(arguments[1], newline="", encoding="utf-8").read()
            kinds = {"c2sp.org/tlog-proof@v1": check_inclusion, "bavn/consistency-proof@v1": check_consistency}
            kinds[text.split("\n")[0]](text, key)
        return 0
    except (Wrong, ValueError, KeyError, IndexError, struct.error, OSError) as why:
        print(f"NOT PROVEN: {why if isinstance(why, Wrong) else repr(why)}", file=sys.stderr)
        return 1

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
