"""What two sockets of the kernel say to each other."""
import struct

import kernel
from kernel import Loopback, Socket, pair

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


@scenario
def handshake(watch, port):
    """from INIT to COOKIE-ACK, over IPv4"""
    pair(port)
    watch.wait("COOKIE-ACK")


@scenario
def handshake_adaptation(watch, port):
    """a handshake with adaptation indications and other numbers of streams"""
    def prepare(one):
        one.set(kernel.ADAPTATION, 0x01020304)
        one.set(kernel.INITMSG, 3, 7, 0, 0, form="HHHH")
    pair(port, prepare=prepare)
    watch.wait("COOKIE-ACK")


@scenario
def handshake_addresses(watch, port):
    """a handshake between sockets with several addresses, over IPv6 and then IPv4"""
    pair(port, address="::")
    watch.wait("COOKIE-ACK")
    pair(port + 2, address="0.0.0.0")
    watch.wait("COOKIE-ACK")


@scenario
def data_one_by_one(watch, port):
    """DATA of several lengths, streams and protocols, ordered and not, answered"""
    near, far = pair(port, prepare=lambda one: one.set(kernel.NODELAY, 1))
    for length in range(1, 9):
        near.send(bytes(range(length)), stream=length, ppid=0x01020300 + length,
                  flags=kernel.UNORDERED if length % 2 else 0)
        far.send(far.receive(), flags=kernel.IMMEDIATELY if length == 4 else 0)
        near.receive()
    watch.wait("SACK")


@scenario
def data_fragmented(watch, port):
    """messages in fragments, ordered and not"""
    near, far = pair(port, prepare=lambda one: one.set(kernel.MAXSEG, 0, 460, form="iI"))
    near.send(bytes(range(256)) * 5)
    near.send(bytes(range(255)) * 4, stream=1, flags=kernel.UNORDERED)
    taken = 0
    while taken < 256 * 5 + 255 * 4:
        taken += len(far.receive())


@scenario
def data_bundled(watch, port):
    """several DATA chunks to a packet: they have waited for the first one's SACK (Nagle)"""
    near, far = pair(port)
    for length in range(1, 10):
        near.send(bytes(range(length)), ppid=length)
    for _ in range(1, 10):
        far.receive()
    watch.wait("SACK")


@scenario
def sack(watch, port):
    """SACK with one and several gap blocks, and with duplicates"""
    near, far = pair(port, prepare=lambda one: one.set(kernel.NODELAY, 1))
    for payload in [b"first", b"second", b"third"]:
        with Loopback("loss 100%"):
            near.send(b"lost")
        near.send(payload)
        watch.wait("SACK", lambda _, value: struct.unpack("!H", value[8:10])[0] > 0)
    for _ in range(6):
        far.receive()
    with Loopback("duplicate 100%"):
        near.send(b"twice")
        watch.wait("SACK", lambda _, value: struct.unpack("!H", value[10:12])[0] > 0)


@scenario
def heartbeat(watch, port):
    """HEARTBEAT and HEARTBEAT-ACK"""
    near, far = pair(port)
    near.heartbeat()
    watch.wait("HEARTBEAT-ACK")
    far.heartbeat()
    watch.wait("HEARTBEAT-ACK")


@scenario
def forward_tsn(watch, port):
    """FORWARD-TSN over ordered and unordered messages whose time is up"""
    near, _ = pair(port, prepare=lambda one: one.set(kernel.NODELAY, 1))
    with Loopback("loss 100%"):
        near.send(b"ordered", stream=1, life=1)
        near.send(b"ordered", stream=2, life=1)
        near.send(b"again", stream=2, life=1)
    watch.wait("FORWARD-TSN")
    watch.wait("SACK")
    with Loopback("loss 100%"):
        near.send(b"unordered", flags=kernel.UNORDERED, life=1)
    watch.wait("FORWARD-TSN")
    watch.wait("SACK")


@scenario
def ecn(watch, port):
    """ECNE and CWR: all packets are marked on their way instead of lost"""
    near, far = pair(port)
    with Loopback("loss 100% ecn"):
        near.send(b"marked")
        watch.wait("ECNE")
        far.receive()
    near.send(b"less")
    watch.wait("CWR")


@scenario
def shutdown(watch, port):
    """SHUTDOWN, SHUTDOWN-ACK and SHUTDOWN-COMPLETE, after DATA"""
    near, far = pair(port)
    near.send(b"the last")
    near.close()
    far.receive()
    watch.wait("SHUTDOWN-COMPLETE")


@scenario
def abort(watch, port):
    """ABORT by the user with and without a reason, and for data that nobody received"""
    for at, reason in [(port, b"I am tired"), (port + 2, b"")]:
        listener, near = Socket("127.0.0.1", at), Socket("127.0.0.1", at + 1, many=True)
        listener.listen()
        near.connect("127.0.0.1", at)
        far = listener.accept()
        near.abort(reason)
        watch.wait("ABORT")
        far.close()
        listener.close()
    near, far = pair(port + 4)
    near.send(b"in vain")
    watch.wait("DATA")
    watch.wait("SACK")
    far.close()
    watch.wait("ABORT")
    alone = Socket("127.0.0.1", port + 6)
    try:
        alone.connect("127.0.0.1", port + 7)
    except ConnectionRefusedError:
        watch.wait("ABORT")


@scenario
def extensions(watch, port):
    """what the stack has no chunks for: AUTH, I-DATA, RE-CONFIG, ASCONF, I-FORWARD-TSN"""
    names = ["auth_enable", "addip_enable", "reconf_enable", "intl_enable"]
    for name in names:
        kernel.sysctl(f"sctp/{name}", 1)
    try:
        def prepare(one):
            one.set(kernel.NODELAY, 1)
            one.set(kernel.FRAGMENT_INTERLEAVE, 2)
            one.set(kernel.INTERLEAVING, 0, 1, form="iI")
            one.set(kernel.ENABLE_STREAM_RESET, 0, 7, form="iI")
        near, far = pair(port, prepare=prepare)
        near.send(b"interleaved")
        far.receive()
        watch.wait("I-DATA")
        near.add_address("10.66.0.1")
        watch.wait("ASCONF")
        watch.wait("ASCONF-ACK")
        near.set(kernel.RESET_STREAMS, 0, 2, 0, form="iHH")
        watch.wait("RE-CONFIG")
        with Loopback("loss 100%"):
            near.send(b"too late", life=1)
        watch.wait("I-FORWARD-TSN")
    finally:
        for name in names:
            kernel.sysctl(f"sctp/{name}", 0)
