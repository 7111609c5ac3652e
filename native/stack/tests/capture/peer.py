"""A peer of the kernel's that says what a well-behaved one does not."""
import os
import socket
import struct

import kernel
import wire


class Peer:
    """Talks from an SCTP port, in UDP, with an SCTP port of the kernel on 127.0.0.1."""

    def __init__(self, port, kernel_port, udp_port=0):
        self.port, self.kernel_port = port, kernel_port
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(("127.0.0.1", udp_port))
        self.udp.settimeout(kernel.TIMEOUT)
        self.udp_port = self.udp.getsockname()[1]
        self.tag, self.kernel_tag = self.random(), 0
        self.tsn = self.random()
        self.waiting = []

    @staticmethod
    def random():
        return int.from_bytes(os.urandom(4), "big") | 1

    def send(self, *chunks, tag=None):
        tag = self.kernel_tag if tag is None else tag
        data = wire.packet(self.port, self.kernel_port, tag, chunks)
        self.udp.sendto(data, ("127.0.0.1", kernel.UDP_PORT))

    def wait(self, name):
        """The next chunk of this type, as (flags, value); others are passed over."""
        while True:
            if not self.waiting:
                self.waiting = wire.chunks(self.udp.recv(65536))
            kind, flags, value = self.waiting.pop(0)
            if kind == name:
                return flags, value

    def init(self, name="INIT", parameters=b"", tag=None, streams=10):
        self.tag = self.random() if tag is None else tag
        return wire.chunk(name, struct.pack("!IIHHI", self.tag, 100000, streams, streams, self.tsn) +
                          parameters)

    def cookie(self, parameters=b"", **fields):
        """Sends an INIT: the cookie that comes back. Does not take over the new tag."""
        self.send(self.init(parameters=parameters, **fields), tag=0)
        _, value = self.wait("INIT-ACK")
        self.new_tag, = struct.unpack("!I", value[:4])
        self.kernel_tsn, = struct.unpack("!I", value[12:16])
        return next(value for kind, value in wire.parts(value[16:]) if kind == 7)

    def echo(self, cookie):
        self.kernel_tag = self.new_tag
        self.send(wire.chunk("COOKIE-ECHO", cookie))

    def connect(self, parameters=b""):
        self.echo(self.cookie(parameters))
        self.wait("COOKIE-ACK")

    def data(self, payload, stream=0, ssn=0):
        value = struct.pack("!IHHI", self.tsn, stream, ssn, 0) + payload
        self.tsn = self.tsn + 1 & 0xffffffff
        return wire.chunk("DATA", value, 3)

    def sack(self):
        return wire.chunk("SACK", struct.pack("!IIHH", self.kernel_tsn, 100000, 0, 0))

    def close(self):
        self.udp.close()
