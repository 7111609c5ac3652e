"""What the kernel says to a peer that does not behave."""
import contextlib
import struct
import time

import kernel
from kernel import Socket
from peer import Peer
from wire import chunk, parameter, parts

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


def cause(code):
    """Is it the first cause?"""
    return lambda flags, value: bool(value) and parts(value)[0][0] == code


@contextlib.contextmanager
def listening(port):
    listener = Socket("127.0.0.1", port)
    listener.listen()
    try:
        yield listener
    finally:
        listener.close()


def connected(port, parameters=b""):
    peer = Peer(port + 1, port)
    peer.connect(parameters)
    return peer


@scenario
def restart(watch, port):
    """an INIT and a COOKIE-ECHO of a peer that has begun anew, and a cookie that comes twice"""
    with listening(port):
        peer = connected(port)
        watch.wait("COOKIE-ACK")
        cookie = peer.cookie()
        peer.echo(cookie)
        watch.wait("COOKIE-ACK")
        peer.echo(cookie)
        watch.wait("COOKIE-ACK")


@scenario
def restart_refused(watch, port):
    """a restart with a new address, and one from a new UDP port"""
    with listening(port):
        peer = connected(port)
        new = parameter(5, bytes([10, 66, 1, 1]))
        peer.send(peer.init(parameters=new), tag=0)
        watch.wait("ABORT", cause(11))
        other = Peer(peer.port, port)
        other.send(other.init(), tag=0)
        watch.wait("ABORT", cause(14))


@scenario
def init_refused(watch, port):
    """ABORT in answer to an INIT: without streams, with a host name, with a length that lies"""
    with listening(port):
        peer = Peer(port + 1, port)
        peer.send(peer.init(streams=0), tag=0)
        watch.wait("ABORT", cause(7))
        peer.send(peer.init(parameters=parameter(11, b"example.org\0")), tag=0)
        watch.wait("ABORT", cause(5))
        peer.send(peer.init(parameters=struct.pack("!HHI", 0x8001, 99, 0)), tag=0)
        watch.wait("ABORT", cause(13))


@scenario
def init_ack_refused(watch, port):
    """ABORT in answer to an INIT-ACK without a cookie"""
    peer = Peer(port, port + 1)
    near = Socket("127.0.0.1", port + 1)
    near.peer_udp_port(peer.udp_port)
    near.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        near.connect("127.0.0.1", port)
    _, value = peer.wait("INIT")
    peer.kernel_tag, = struct.unpack("!I", value[:4])
    peer.send(peer.init("INIT-ACK"))
    watch.wait("ABORT", cause(2))


@scenario
def unrecognized_parameters(watch, port):
    """parameters that nobody knows: told in an INIT-ACK, and in an ERROR beside the COOKIE-ECHO"""
    unknown = parameter(0xc123, b"odd") + parameter(0x8124) + parameter(0xffff, b"even")
    with listening(port):
        connected(port, unknown)
        watch.wait("INIT-ACK")
    peer = Peer(port + 2, port + 3)
    near = Socket("127.0.0.1", port + 3)
    near.peer_udp_port(peer.udp_port)
    near.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        near.connect("127.0.0.1", port + 2)
    _, value = peer.wait("INIT")
    peer.kernel_tag, = struct.unpack("!I", value[:4])
    peer.send(peer.init("INIT-ACK", parameter(7, b"any cookie") + unknown))
    watch.wait("ERROR", cause(8))


@scenario
def unrecognized_chunks(watch, port):
    """chunks that nobody knows, told in an ERROR"""
    with listening(port):
        peer = connected(port)
        peer.send(chunk(0x7e, b"stop"), chunk("HEARTBEAT", parameter(1, b"not seen")))
        watch.wait("ERROR", cause(6))
        peer.send(chunk(0xfe, b"go on"), chunk("HEARTBEAT", parameter(1, b"seen")))
        # Both in one packet.
        watch.wait("HEARTBEAT-ACK")


@scenario
def data_refused(watch, port):
    """DATA on a stream that is not there, and DATA without data"""
    with listening(port):
        peer = connected(port)
        peer.send(peer.data(b"nowhere", stream=9999))
        watch.wait("ERROR", cause(1))
        peer.send(peer.data(b""))
        watch.wait("ABORT", cause(9))


@scenario
def stale_cookie(watch, port):
    """a cookie that is too old; and an INIT that asks for more time, as its own was too old"""
    kernel.sysctl("sctp/valid_cookie_life", 1)
    try:
        with listening(port):
            peer = Peer(port + 1, port)
            cookie = peer.cookie()
            # That it gets old is what this is about.
            time.sleep(0.1)
            peer.echo(cookie)
            watch.wait("ERROR", cause(3))
    finally:
        kernel.sysctl("sctp/valid_cookie_life", 60000)
    peer = Peer(port + 2, port + 3)
    near = Socket("127.0.0.1", port + 3)
    near.peer_udp_port(peer.udp_port)
    near.socket.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        near.connect("127.0.0.1", port + 2)
    _, value = peer.wait("INIT")
    peer.kernel_tag, = struct.unpack("!I", value[:4])
    peer.send(peer.init("INIT-ACK", parameter(7, b"any cookie")))
    peer.wait("COOKIE-ECHO")
    peer.send(chunk("ERROR", parameter(3, struct.pack("!I", 1500000))))
    watch.wait("INIT", lambda _, value: 9 in [kind for kind, _ in parts(value[16:])])


@scenario
def cookie_while_shutting_down(watch, port):
    """a restart while the kernel waits for SHUTDOWN-COMPLETE"""
    with listening(port):
        peer = connected(port)
        tag = peer.kernel_tag
        cookie = peer.cookie()
        peer.send(chunk("SHUTDOWN", struct.pack("!I", peer.kernel_tsn - 1 & 0xffffffff)), tag=tag)
        watch.wait("SHUTDOWN-ACK")
        peer.echo(cookie)
        watch.wait("ERROR", cause(10))


@scenario
def violations(watch, port):
    """ABORT for what breaks the rules: a SACK that is too short, one of what was never sent"""
    with listening(port):
        peer = connected(port)
        peer.send(chunk("SACK", bytes(4)))
        watch.wait("ABORT", cause(13))
        peer = Peer(port + 2, port)
        peer.connect()
        peer.kernel_tsn = peer.kernel_tsn + 1000 & 0xffffffff
        peer.send(peer.sack())
        watch.wait("ABORT", cause(13))


@scenario
def out_of_the_blue(watch, port):
    """ABORT and SHUTDOWN-COMPLETE with the tag of what belongs to no association"""
    with listening(port):
        peer = Peer(port + 1, port)
        peer.send(peer.data(b"who are you?"), tag=0x01020304)
        watch.wait("ABORT", lambda flags, _: flags == 1)
        peer.send(chunk("SHUTDOWN-ACK"), tag=0x01020304)
        watch.wait("SHUTDOWN-COMPLETE", lambda flags, _: flags == 1)
