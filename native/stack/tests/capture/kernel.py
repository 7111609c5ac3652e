"""The kernel's sockets, its packets in UDP, and the loopback between them."""
import ctypes
import ipaddress
import os
import socket
import struct
import subprocess
import time

import wire

SCTP = 132
UDP_PORT = 9899
TIMEOUT = 20

# linux/sctp.h
RTOINFO, INITMSG, NODELAY, ADAPTATION, PADDR_PARAMS, MAXSEG = 0, 2, 3, 7, 9, 13
DELAYED_SACK, FRAGMENT_INTERLEAVE, AUTH_CHUNK, BINDX_ADD = 16, 18, 21, 100
ASSOC_ID_LIST = 29
ENABLE_STREAM_RESET, RESET_STREAMS, INTERLEAVING, UDP_ENCAPS_PORT = 118, 119, 125, 132
SNDINFO, PRINFO = 2, 5
UNORDERED, ABORT, IMMEDIATELY = 1, 4, 8
PR_TTL = 0x10
HB_DEMAND = 4


def sysctl(name, value):
    with open(f"/proc/sys/net/{name}", "w") as file:
        file.write(str(value))


def new_network():
    """A loopback of our own, with UDP encapsulation: there the kernel makes each checksum itself."""
    CLONE_NEWNET = 0x40000000
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare: run me as root")
    run("ip link set lo mtu 1500 gso_max_size 1500 up")
    for address in ["10.66.0.1/24", "10.66.1.1/24"]:
        run(f"ip addr add {address} dev lo")
    for address in ["fd66::1/64", "fd66:1::1/64"]:
        run(f"ip addr add {address} dev lo nodad")
    sysctl("sctp/udp_port", UDP_PORT)
    sysctl("sctp/encap_port", UDP_PORT)
    # Long enough for what is to be lost first, even where all is slow.
    sysctl("sctp/rto_min", 1000)
    sysctl("sctp/rto_initial", 1000)


def run(command):
    subprocess.run(command.split(), check=True)


class Loopback:
    """What happens to the packets that are sent meanwhile; see tc-netem(8)."""

    def __init__(self, how):
        self.how = how

    def __enter__(self):
        run(f"tc qdisc replace dev lo root netem {self.how}")

    def __exit__(self, *_):
        run("tc qdisc del dev lo root")


class Watch:
    """The packets that the kernel sends to and from a port, until this is closed."""

    def __init__(self, *ports):
        self.ports = set(ports)
        self.packets = []
        self.seen = 0
        self.sockets = [socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_UDP)
                        for family in (socket.AF_INET, socket.AF_INET6)]
        for raw in self.sockets:
            raw.setblocking(False)

    def take(self):
        for raw in self.sockets:
            while True:
                try:
                    data = raw.recv(65536)
                except BlockingIOError:
                    break
                # The header of IPv4 comes along.
                udp = data[(data[0] & 15) * 4:] if raw.family == socket.AF_INET else data
                source, = struct.unpack("!H", udp[:2])
                if source == UDP_PORT and self.ports & set(struct.unpack("!HH", udp[8:12])):
                    self.packets.append(udp[8:])

    def wait(self, name, is_it=lambda flags, value: True):
        """The next packet, after the last one waited for, with such a chunk."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            self.take()
            while self.seen < len(self.packets):
                packet = self.packets[self.seen]
                self.seen += 1
                for kind, flags, value in wire.chunks(packet):
                    if kind == name and is_it(flags, value):
                        return packet
            time.sleep(0.001)
        raise TimeoutError(f"no {name}; there were {[wire.chunks(p) for p in self.packets]}")

    def close(self):
        self.take()
        for raw in self.sockets:
            raw.close()


class Socket:
    """A one-to-one socket, or with `many` a one-to-many one."""

    def __init__(self, address, port=0, made=None, many=False):
        self.family = socket.AF_INET6 if ":" in address else socket.AF_INET
        style = socket.SOCK_SEQPACKET if many else socket.SOCK_STREAM
        self.socket = made or socket.socket(self.family, style, SCTP)
        self.socket.settimeout(TIMEOUT)
        if made is None:
            self.socket.bind((address, port))

    def set(self, option, *values, form="I"):
        self.socket.setsockopt(SCTP, option, struct.pack("=" + form, *values))

    def listen(self, backlog=5):
        self.socket.listen(backlog)

    def accept(self):
        made, address = self.socket.accept()
        return Socket(address[0], made=made)

    def connect(self, address, port):
        self.socket.connect((address, port))

    def send(self, data, stream=0, ppid=0, flags=0, life=None, assoc=0):
        info = struct.pack("=HHIIi", stream, flags, socket.htonl(ppid), 0, assoc)
        control = [(SCTP, SNDINFO, info)]
        if life is not None:
            control.append((SCTP, PRINFO, struct.pack("=HxxI", PR_TTL, life)))
        self.socket.sendmsg([data], control)

    def receive(self, size=65536):
        return self.socket.recv(size)

    def abort(self, reason=b""):
        """The only association of a one-to-many socket: the kernel takes the flag of no others."""
        _, assoc = struct.unpack("=Ii", self.socket.getsockopt(SCTP, ASSOC_ID_LIST, 8))
        self.send(reason, flags=ABORT, assoc=assoc)

    def close(self):
        self.socket.close()

    def heartbeat(self):
        self.set(PADDR_PARAMS, 0, bytes(128), 0, 0, 0, 0, HB_DEMAND, 0, 0, form="i128sIHIIIIBx")

    def peer_udp_port(self, port):
        """In network order."""
        anybody = struct.pack("=H", self.family) + bytes(126)
        self.set(UDP_ENCAPS_PORT, 0, anybody, socket.htons(port), form="i4x128sH6x")

    def add_address(self, address):
        packed = ipaddress.ip_address(address).packed
        self.socket.setsockopt(SCTP, BINDX_ADD,
                               struct.pack("=HH", socket.AF_INET, 0) + packed + bytes(8))


def pair(port, address="127.0.0.1", prepare=lambda one: None):
    """Two sockets with an association: the one that connected, the one that was accepted."""
    listener, near = Socket(address, port), Socket(address, port + 1)
    prepare(listener)
    prepare(near)
    listener.listen()
    near.connect(address if address not in ("0.0.0.0", "::") else
                 {"0.0.0.0": "10.66.0.1", "::": "fd66::1"}[address], port)
    far = listener.accept()
    listener.close()
    return near, far


def release():
    return os.uname().release
