//! The socket against the kernel's SCTP over the loopback interface.
//!
//! Has its own `main`, so that without SCTP in the kernel every case is reported as skipped, not as
//! passed. With `SCTP_REQUIRED` in the environment that is a failure. Arguments that are no options
//! select cases by a part of their names.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sctp::abi::{SOL_SCTP, optname};
use sctp::notification::{AssocState, Notification, parse};
use sctp::types::flags;
use sctp::{AssocId, Bindx, Epoll, Events, Family, Interest, Received, SndInfo, Socket, Style};

const CASES: &[(&str, fn())] = &[
    ("messages_and_their_information", messages_and_their_information),
    ("graceful_shutdown", graceful_shutdown),
    ("abort_with_reason", abort_with_reason),
    ("refused_connect_keeps_the_id", refused_connect_keeps_the_id),
    ("connect_twice", connect_twice),
    ("a_message_in_pieces", a_message_in_pieces),
    ("peeled_off", peeled_off),
    ("one_to_one", one_to_one),
    ("several_addresses", several_addresses),
    ("many_addresses", many_addresses),
    ("ipv6_and_mapped_ipv4", ipv6_and_mapped_ipv4),
    ("send_errors", send_errors),
    ("send_buffer_full", send_buffer_full),
    ("send_failed_notification", send_failed_notification),
    ("default_send_info", default_send_info),
    ("only_the_chosen_events_are_on", only_the_chosen_events_are_on),
    ("adaptation_indication", adaptation_indication),
    ("linger_does_not_block_close", linger_does_not_block_close),
    ("missing_netns", missing_netns),
];

fn main() -> ExitCode {
    let filters: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let chosen = |name: &str| filters.is_empty() || filters.iter().any(|f| name.contains(&**f));
    let cases: Vec<_> = CASES.iter().filter(|(name, _)| chosen(name)).collect();
    if let Err(error) = Socket::open(Family::Inet, Style::OneToMany, None) {
        println!("SKIP: all {} cases: no SCTP in this kernel: {error}", cases.len());
        println!("test result: 0 passed; 0 failed; {} skipped", cases.len());
        let required = std::env::var_os("SCTP_REQUIRED").is_some();
        return if required { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    let (mut passed, mut failed) = (0, 0);
    for (name, case) in cases {
        let ok = std::panic::catch_unwind(case).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if ok { passed += 1 } else { failed += 1 }
    }
    println!("test result: {passed} passed; {failed} failed; 0 skipped");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

const LOOPBACK: &str = "127.0.0.1:0";
const TIMEOUT: Duration = Duration::from_secs(20);

fn open(style: Style, addr: &str) -> Socket {
    let addr: SocketAddr = addr.parse().unwrap();
    let family = if addr.is_ipv4() { Family::Inet } else { Family::Inet6 };
    let socket = Socket::open(family, style, None).unwrap();
    socket.set_option(SOL_SCTP, optname::NODELAY, &1i32.to_ne_bytes()).unwrap();
    socket.bind(addr).unwrap();
    socket
}

/// Waits until the socket is ready for what is asked.
fn wait(socket: &Socket, interest: Interest) {
    let epoll = Epoll::new().unwrap();
    let mut events = Events::with_capacity(1);
    epoll.add(socket.as_fd(), 1, interest).unwrap();
    let start = Instant::now();
    while events.is_empty() {
        assert!(start.elapsed() < TIMEOUT, "nothing came");
        epoll.wait(&mut events, Some(TIMEOUT)).unwrap();
    }
}

fn recv_into(socket: &Socket, buf: &mut [u8]) -> Received {
    loop {
        match socket.recv(buf) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(socket, Interest::READ),
            result => return result.unwrap(),
        }
    }
}

/// One whole message or notification.
fn recv(socket: &Socket) -> (Received, Vec<u8>) {
    let mut buf = vec![0; 65536];
    let received = recv_into(socket, &mut buf);
    assert!(received.end_of_record && !received.control_truncated, "{received:?}");
    buf.truncate(received.len);
    (received, buf)
}

fn recv_data(socket: &Socket) -> (Received, Vec<u8>) {
    let (received, data) = recv(socket);
    assert!(!received.notification, "{:?}", parse(&data));
    (received, data)
}

/// The next item, which is a change of an association.
fn recv_change(socket: &Socket) -> (AssocState, AssocId) {
    let (received, bytes) = recv(socket);
    assert!(received.notification, "data: {bytes:?}");
    assert!(received.from.is_some() && received.info.is_none());
    match parse(&bytes) {
        Some(Notification::AssocChange { state, assoc, .. }) => (state, assoc),
        other => panic!("{other:?}"),
    }
}

/// A client and a server with one association, and its ids at both ends.
fn associated(style: Style, addr: &str) -> (Socket, AssocId, Socket, AssocId) {
    let server = open(Style::OneToMany, addr);
    server.listen(5).unwrap();
    let client = open(style, addr);
    let id = client.connect(&[server.local_addr().unwrap()]).unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommUp, id));
    let (state, server_id) = recv_change(&server);
    assert_eq!(state, AssocState::CommUp);
    (client, id, server, server_id)
}

fn errno<T: std::fmt::Debug>(result: io::Result<T>) -> i32 {
    result.unwrap_err().raw_os_error().unwrap()
}

fn messages_and_their_information() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    let info = SndInfo { stream: 3, ppid: 46, context: 5, assoc: id, ..SndInfo::default() };
    client.send(&info, b"first").unwrap();
    client.send(&info, b"second").unwrap();
    client.send(&SndInfo { flags: flags::UNORDERED, ..info }, b"third").unwrap();

    let (first, data) = recv_data(&server);
    assert_eq!(data, b"first");
    assert_eq!(first.from, Some(client.local_addr().unwrap()));
    let got = first.info.unwrap();
    assert_eq!((got.stream, got.ssn, got.flags, got.ppid), (3, 0, 0, 46));
    assert_eq!((got.assoc, got.cumtsn, got.context), (server_id, 0, 0));

    let (second, data) = recv_data(&server);
    assert_eq!(data, b"second");
    let got = second.info.unwrap();
    assert_eq!((got.ssn, got.tsn), (1, first.info.unwrap().tsn.wrapping_add(1)));

    let (third, data) = recv_data(&server);
    assert_eq!(data, b"third");
    assert_eq!(third.info.unwrap().flags, flags::UNORDERED);

    let reply = SndInfo { assoc: server_id, ..SndInfo::default() };
    let pieces = [io::IoSlice::new(b"in "), io::IoSlice::new(b""), io::IoSlice::new(b"pieces")];
    server.send_vectored(&reply, &pieces).unwrap();
    assert_eq!(recv_data(&client).1, b"in pieces");
    assert_eq!((client.assoc_count().unwrap(), server.assoc_count().unwrap()), (1, 1));
}

fn graceful_shutdown() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    client.send(&SndInfo { flags: flags::EOF, assoc: id, ..SndInfo::default() }, b"").unwrap();
    let (_, bytes) = recv(&server);
    assert_eq!(parse(&bytes), Some(Notification::Shutdown { assoc: server_id }));
    assert_eq!(recv_change(&server), (AssocState::ShutdownComp, server_id));
    assert_eq!(recv_change(&client), (AssocState::ShutdownComp, id));
    assert_eq!(errno(client.send(&SndInfo { assoc: id, ..SndInfo::default() }, b"x")), libc::EPIPE);
}

fn abort_with_reason() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    let abort = SndInfo { flags: flags::ABORT, assoc: id, ..SndInfo::default() };
    client.send(&abort, b"reason").unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommLost, id));
    let (_, bytes) = recv(&server);
    let Some(Notification::AssocChange { state, error, assoc, info, .. }) = parse(&bytes) else {
        panic!("{bytes:?}");
    };
    assert_eq!((state, assoc), (AssocState::CommLost, server_id));
    assert_eq!(error, 12u16.to_be(), "user initiated abort, in network order");
    assert_eq!(info, b"\x00\x0c\x00\x0areason");
}

/// A port nobody listens on.
fn closed_port() -> SocketAddr {
    open(Style::OneToMany, LOOPBACK).local_addr().unwrap()
}

fn refused_connect_keeps_the_id() {
    let client = open(Style::OneToMany, LOOPBACK);
    let id = client.connect(&[closed_port()]).unwrap();
    assert_ne!(id, AssocId::FUTURE);
    assert_eq!(recv_change(&client), (AssocState::CantStrAssoc, id));
}

fn connect_twice() {
    let (client, _, server, _) = associated(Style::OneToMany, LOOPBACK);
    let addr = server.local_addr().unwrap();
    assert_eq!(errno(client.connect(&[addr])), libc::EISCONN);
    assert_eq!(errno(client.connect(&[])), libc::EINVAL);
    assert_eq!(errno(client.peer_addr()), libc::ENOTCONN);
}

fn a_message_in_pieces() {
    let (client, id, server, _) = associated(Style::OneToMany, LOOPBACK);
    let sent: Vec<u8> = (0..10_000u32).map(|i| i as u8).collect();
    client.send(&SndInfo { assoc: id, ..SndInfo::default() }, &sent).unwrap();
    let (mut got, mut buf, mut pieces) = (Vec::new(), [0; 3000], 0);
    loop {
        let received = recv_into(&server, &mut buf);
        assert!(received.info.is_some(), "with every piece");
        got.extend_from_slice(&buf[..received.len]);
        pieces += 1;
        if received.end_of_record {
            break;
        }
    }
    assert_eq!((got, pieces), (sent, 4));
    assert_eq!(errno(server.recv(&mut [])), libc::EINVAL);
}

fn peeled_off() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    client.send(&SndInfo { assoc: id, ..SndInfo::default() }, b"queued").unwrap();
    wait(&server, Interest::READ);
    let child = server.peeloff(server_id).unwrap();
    assert!(child.is_peeled_off() && child.style() == Style::OneToOne);
    let (received, data) = recv_data(&child);
    assert_eq!((&data[..], received.info.unwrap().assoc), (&b"queued"[..], server_id));
    assert_eq!(child.peer_addr().unwrap(), client.local_addr().unwrap());
    assert_eq!(errno(child.recv(&mut [0])), libc::EAGAIN, "it does not block");
    child.send(&SndInfo::default(), b"any id will do").unwrap();
    assert_eq!(recv_data(&client).1, b"any id will do");
    assert_eq!(errno(server.peeloff(server_id)), libc::EINVAL);
    assert_eq!(errno(server.peeloff(AssocId(0))), libc::EINVAL);
}

fn one_to_one() {
    let (client, id, server, server_id) = associated(Style::OneToOne, LOOPBACK);
    assert_eq!(client.peer_addr().unwrap(), server.local_addr().unwrap());
    client.send(&SndInfo::default(), b"hello").unwrap();
    assert_eq!(recv_data(&server).1, b"hello");
    let eof = SndInfo { flags: flags::EOF, assoc: server_id, ..SndInfo::default() };
    server.send(&eof, b"").unwrap();
    let (_, bytes) = recv(&client);
    assert_eq!(parse(&bytes), Some(Notification::Shutdown { assoc: id }));
    assert_eq!(recv_change(&client), (AssocState::ShutdownComp, id));
    let end = recv_into(&client, &mut [0; 10]);
    assert!(end.is_end_of_stream() && end.from.is_none(), "{end:?}");
    assert_eq!(errno(client.assoc_count()), libc::EOPNOTSUPP);
}

fn several_addresses() {
    let server = open(Style::OneToMany, LOOPBACK);
    let first = server.local_addr().unwrap();
    let second = SocketAddr::new("127.0.0.2".parse().unwrap(), first.port());
    server.bindx(Bindx::Add, &[second]).unwrap();
    assert_eq!(server.local_addrs(AssocId::FUTURE).unwrap(), [first, second]);
    server.listen(5).unwrap();
    let client = open(Style::OneToMany, LOOPBACK);
    let id = client.connect(&[first, second]).unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommUp, id));
    let mut peers = client.peer_addrs(id).unwrap();
    peers.sort();
    assert_eq!(peers, [first, second]);
    server.bindx(Bindx::Remove, &[second]).unwrap();
    assert_eq!(server.local_addrs(AssocId::FUTURE).unwrap(), [first]);
    assert_eq!(errno(server.bindx(Bindx::Remove, &[first])), libc::EBUSY);
    assert_eq!(errno(client.peer_addrs(AssocId::FUTURE)), libc::EINVAL);
}

/// More than the first buffer of the address queries has room for.
fn many_addresses() {
    let server = open(Style::OneToMany, LOOPBACK);
    let port = server.local_addr().unwrap().port();
    let more: Vec<_> = (2..=150).map(|i| SocketAddr::from(([127, 0, 0, i], port))).collect();
    server.bindx(Bindx::Add, &more).unwrap();
    assert_eq!(server.local_addrs(AssocId::FUTURE).unwrap().len(), 150);
}

fn ipv6_and_mapped_ipv4() {
    let (client, id, server, _) = associated(Style::OneToMany, "[::1]:0");
    client.send(&SndInfo { assoc: id, ..SndInfo::default() }, b"six").unwrap();
    let (received, data) = recv_data(&server);
    assert_eq!((received.from, &data[..]), (Some(client.local_addr().unwrap()), &b"six"[..]));

    let server = open(Style::OneToMany, LOOPBACK);
    server.listen(5).unwrap();
    let client = open(Style::OneToMany, "[::]:0");
    let addr = server.local_addr().unwrap();
    let id = client.connect(&[addr]).unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommUp, id));
    let mapped = format!("[::ffff:127.0.0.1]:{}", addr.port());
    assert_eq!(client.peer_addrs(id).unwrap(), [mapped.parse().unwrap()]);
}

fn send_errors() {
    let (client, id, _server, _) = associated(Style::OneToMany, LOOPBACK);
    let info = SndInfo { assoc: id, ..SndInfo::default() };
    assert_eq!(errno(client.send(&info, b"")), libc::EINVAL);
    assert_eq!(errno(client.send(&SndInfo { stream: 60_000, ..info }, b"x")), libc::EINVAL);
    assert_eq!(errno(client.send(&SndInfo::default(), b"x")), libc::EPIPE);
    assert_eq!(errno(client.send(&SndInfo { assoc: AssocId(-1), ..info }, b"x")), libc::EPIPE);
    let addr_over = SndInfo { flags: flags::ADDR_OVER, ..info };
    assert_eq!(errno(client.send(&addr_over, b"x")), libc::EINVAL);
    assert_eq!(errno(client.send(&info, &vec![0; 64 << 20])), libc::EMSGSIZE);
}

fn send_buffer_full() {
    let (client, id, server, _) = associated(Style::OneToMany, LOOPBACK);
    let info = SndInfo { assoc: id, ..SndInfo::default() };
    let payload = [7; 10_000];
    let mut sent = 0;
    let error = loop {
        match client.send(&info, &payload) {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.raw_os_error(), Some(libc::EAGAIN));
    assert!(sent > 0);
    for _ in 0..sent {
        let mut got = 0;
        let mut buf = [0; 65536];
        loop {
            let received = recv_into(&server, &mut buf);
            got += received.len;
            if received.end_of_record {
                break;
            }
        }
        assert_eq!(got, payload.len());
    }
    wait(&client, Interest::WRITE);
    client.send(&info, b"room again").unwrap();
}

/// What is still unsent when its association is aborted comes back.
fn send_failed_notification() {
    let server = open(Style::OneToMany, LOOPBACK);
    let client = open(Style::OneToMany, LOOPBACK);
    // Not listening: the message sent ahead of the association is never transmitted.
    let id = client.connect(&[server.local_addr().unwrap()]).unwrap();
    let info = SndInfo { stream: 1, ppid: 46, context: 99, assoc: id, ..SndInfo::default() };
    // Over loopback the refusal may have come first.
    match client.send(&info, b"ahead") {
        Ok(()) => {}
        Err(error) => {
            assert_eq!(error.raw_os_error(), Some(libc::EPIPE));
            return assert_eq!(recv_change(&client), (AssocState::CantStrAssoc, id));
        }
    }
    assert_eq!(recv_change(&client), (AssocState::CantStrAssoc, id));
    let (_, bytes) = recv(&client);
    let Some(Notification::SendFailed { sent, info, assoc, data, .. }) = parse(&bytes) else {
        panic!("{bytes:?}");
    };
    assert_eq!((sent, assoc, data), (false, id, &b"ahead"[..]));
    assert_eq!((info.stream, info.ppid, info.context), (1, 46, 99));
}

fn default_send_info() {
    let (client, id, _server, _) = associated(Style::OneToMany, LOOPBACK);
    assert_eq!(client.default_send_info(AssocId::FUTURE).unwrap(), SndInfo::default());
    let info = SndInfo { stream: 2, ppid: 46, context: 1, timetolive: 9, assoc: id, flags: 1 };
    client.set_option(SOL_SCTP, optname::DEFAULT_SEND_PARAM, &info.encode()).unwrap();
    assert_eq!(client.default_send_info(id).unwrap(), info);
    assert_eq!(client.default_send_info(AssocId::FUTURE).unwrap(), SndInfo::default());
}

fn only_the_chosen_events_are_on() {
    let socket = open(Style::OneToMany, LOOPBACK);
    let mut events = [9; 64];
    let len = socket.get_option(SOL_SCTP, optname::EVENTS, &mut events).unwrap();
    assert!((10..=14).contains(&len), "{len}");
    assert_eq!(events[..7], [0, 1, 1, 1, 1, 1, 1]);
    assert!(events[7..len].iter().all(|event| *event == 0));
}

/// The option is in host order, and so is the notification at the other end.
fn adaptation_indication() {
    let server = open(Style::OneToMany, LOOPBACK);
    server.listen(5).unwrap();
    let indication = 0x0102_0304u32.to_ne_bytes();
    server.set_option(SOL_SCTP, optname::ADAPTATION_LAYER, &indication).unwrap();
    let client = open(Style::OneToMany, LOOPBACK);
    client.set_option(SOL_SCTP, optname::EVENTS, &[0, 1, 0, 0, 0, 0, 0, 1]).unwrap();
    let id = client.connect(&[server.local_addr().unwrap()]).unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommUp, id));
    let (_, bytes) = recv(&client);
    let expected = Notification::Adaptation { indication: 0x0102_0304, assoc: id };
    assert_eq!(parse(&bytes), Some(expected));
}

fn linger_does_not_block_close() {
    let (client, _, _server, _) = associated(Style::OneToOne, LOOPBACK);
    let linger = |seconds: i32| [1i32.to_ne_bytes(), seconds.to_ne_bytes()].concat();
    let current = || {
        let mut value = [0; 8];
        client.get_option(libc::SOL_SOCKET, libc::SO_LINGER, &mut value).unwrap();
        value.to_vec()
    };
    client.set_option(libc::SOL_SOCKET, libc::SO_LINGER, &linger(0)).unwrap();
    client.prepare_close().unwrap();
    assert_eq!(current(), linger(0), "it means to abort");
    client.set_option(libc::SOL_SOCKET, libc::SO_LINGER, &linger(30)).unwrap();
    client.prepare_close().unwrap();
    assert_eq!(current()[..4], [0; 4]);
    let start = Instant::now();
    drop(client);
    assert!(start.elapsed() < Duration::from_secs(10));
}

fn missing_netns() {
    let open = |path| Socket::open(Family::Inet, Style::OneToMany, Some(path));
    assert_eq!(open(c"/nonexistent").unwrap_err().raw_os_error(), Some(libc::ENOENT));
    let here = open(c"/proc/self/ns/net");
    match here {
        Ok(socket) => assert_eq!(socket.style(), Style::OneToMany),
        // Entering even one's own namespace takes privileges.
        Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EPERM)),
    }
}
