#!/usr/bin/env python3
"""One end of an association, on a one-to-one socket: peer.py listen|connect ADDRESS [PORT]

What comes is told in lines on standard output, the first of them `listening PORT` or
`connected PORT`, with the own port; `accepted PORT` tells the port of who has come:

    data STREAM PPID ordered|unordered SIZE MD5
    eof             the other end has shut the association down
    error ERRNO     its name

Lines on standard input are done in their order, each answered by `done`:

    send STREAM PPID ordered|unordered SIZE
    shutdown        once all is sent
    abort
    quit
"""
import errno
import hashlib
import os
import select
import socket
import struct
import sys

# <linux/sctp.h>: socket options, types of ancillary data (enum sctp_cmsg_type), flags.
SCTP_NODELAY = 3
SCTP_RECVRCVINFO = 32
SCTP_SNDINFO = 2
SCTP_RCVINFO = 3
SCTP_UNORDERED = 1
# There, too. The kernel does not look at the ppid: its four bytes go out, and come in, as they are
# in memory. RFC 9260 (3.3.1) leaves the byte order to the protocol above; all known ones use the
# network's.
SNDINFO = struct.Struct("=HH4sIi")  # sid, flags, ppid, context, assoc_id
RCVINFO = struct.Struct("=HHHxx4sIIIi")  # sid, ssn, flags, ppid, tsn, cumtsn, context, assoc_id

LARGEST = 1 << 20


def say(*words):
    print(*words, flush=True)


def pattern(size):
    """The same as in the suite; not periodic, so that a lost piece shows."""
    blocks = (hashlib.md5(struct.pack(">I", n)).digest() for n in range((size + 15) // 16))
    return b"".join(blocks)[:size]


def receive(sock):
    """Tells one message, or how it ended; whether there can be more."""
    data, flags = b"", 0
    try:
        while not flags & socket.MSG_EOR:
            part, ancillary, flags, _ = sock.recvmsg(LARGEST, socket.CMSG_SPACE(RCVINFO.size))
            if not part:
                say("eof")
                return False
            data += part
    except OSError as error:
        say("error", errno.errorcode[error.errno])
        return False
    [(level, kind, info)] = ancillary
    assert (level, kind) == (socket.IPPROTO_SCTP, SCTP_RCVINFO)
    stream, _, flags, ppid, *_ = RCVINFO.unpack(info)
    say("data", stream, int.from_bytes(ppid, "big"),
        "unordered" if flags & SCTP_UNORDERED else "ordered",
        len(data), hashlib.md5(data).hexdigest())
    return True


def do(sock, command, *arguments):
    if command == "send":
        stream, ppid, order, size = arguments
        flags = SCTP_UNORDERED if order == "unordered" else 0
        info = SNDINFO.pack(int(stream), flags, int(ppid).to_bytes(4, "big"), 0, 0)
        data = pattern(int(size))
        sent = sock.sendmsg([data], [(socket.IPPROTO_SCTP, SCTP_SNDINFO, info)])
        assert sent == len(data)
    elif command == "shutdown":
        sock.shutdown(socket.SHUT_WR)
    elif command == "abort":
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    elif command != "quit":
        raise ValueError(command)
    say("done")


def main(mode, address, port="0"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
    # An accepted socket has the options of the one that listens.
    sock.setsockopt(socket.IPPROTO_SCTP, SCTP_RECVRCVINFO, 1)
    sock.setsockopt(socket.IPPROTO_SCTP, SCTP_NODELAY, 1)
    sock.bind((address, 0))
    if mode == "listen":
        sock.listen()
        say("listening", sock.getsockname()[1])
        listening, (sock, peer) = sock, sock.accept()
        listening.close()
        say("accepted", peer[1])
    else:
        sock.connect((address, int(port)))
        say("connected", sock.getsockname()[1])
    reading, pending, command = True, b"", None
    while command != ["quit"]:
        ready, _, _ = select.select([0] + [sock] * reading, [], [])
        if sock in ready:
            reading = receive(sock)
        if 0 in ready:
            part = os.read(0, 65536)
            if not part:
                return
            *lines, pending = (pending + part).split(b"\n")
            for line in lines:
                command = line.decode().split()
                do(sock, *command)
                reading = reading and sock.fileno() >= 0


main(*sys.argv[1:])
