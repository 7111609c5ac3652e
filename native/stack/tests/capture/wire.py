"""Packets as bytes: just enough of RFC 9260, section 3, to provoke a kernel and to name what it sends."""
import struct

NAMES = {0: "DATA", 1: "INIT", 2: "INIT-ACK", 3: "SACK", 4: "HEARTBEAT", 5: "HEARTBEAT-ACK",
         6: "ABORT", 7: "SHUTDOWN", 8: "SHUTDOWN-ACK", 9: "ERROR", 10: "COOKIE-ECHO",
         11: "COOKIE-ACK", 12: "ECNE", 13: "CWR", 14: "SHUTDOWN-COMPLETE", 15: "AUTH",
         64: "I-DATA", 128: "ASCONF-ACK", 130: "RE-CONFIG", 192: "FORWARD-TSN", 193: "ASCONF",
         194: "I-FORWARD-TSN"}
TYPES = {name: kind for kind, name in NAMES.items()}


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def padded(data):
    return data + bytes(-len(data) % 4)


def chunk(name, value=b"", flags=0):
    return padded(struct.pack("!BBH", TYPES.get(name, name), flags, len(value) + 4) + value)


def parameter(kind, value=b""):
    return padded(struct.pack("!HH", kind, len(value) + 4) + value)


def packet(source, destination, tag, chunks):
    head, body = struct.pack("!HHI", source, destination, tag), b"".join(chunks)
    return head + struct.pack("<I", crc32c(head + bytes(4) + body)) + body


def chunks(data):
    """[(name, flags, value)] of a packet; the name of an unknown type is its number."""
    found, data = [], data[12:]
    while data:
        kind, flags, length = struct.unpack("!BBH", data[:4])
        found.append((NAMES.get(kind, kind), flags, data[4:length]))
        data = data[length + -length % 4:]
    return found


def parts(value):
    """[(type, value)] of parameters or causes."""
    found = []
    while value:
        kind, length = struct.unpack("!HH", value[:4])
        found.append((kind, value[4:length]))
        value = value[length + -length % 4:]
    return found
