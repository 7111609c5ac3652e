//! Associations coming and going, and their addresses.

use sctp::ending::Progress;

use super::*;

pub(crate) fn graceful_shutdown() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    client.send(&SndInfo { flags: flags::EOF, assoc: id, ..SndInfo::default() }, b"").unwrap();
    let (_, bytes) = recv(&server);
    assert_eq!(parse(&bytes), Some(Notification::Shutdown { assoc: server_id }));
    assert_eq!(recv_change(&server), (AssocState::ShutdownComp, server_id));
    assert_eq!(recv_change(&client), (AssocState::ShutdownComp, id));
    assert_eq!(errno(client.send(&SndInfo { assoc: id, ..SndInfo::default() }, b"x")), libc::EPIPE);
}

pub(crate) fn associations_end_before_the_socket() {
    for style in [Style::OneToMany, Style::OneToOne] {
        let (client, id, server, server_id) = associated(style, LOOPBACK);
        // More than there is room for: the end has to wait for the peer to read.
        let message = SndInfo { assoc: id, ..SndInfo::default() };
        while client.send(&message, &[7; 2000]).is_ok() {}
        let mut ending = client.end_gracefully().expect("the peer has yet to read");
        assert_eq!(client.progress(&mut ending), Progress::Waits);
        server.send(&SndInfo { assoc: server_id, ..SndInfo::default() }, b"unwanted").unwrap();
        while !recv(&server).0.notification {}
        assert_eq!(recv_change(&server), (AssocState::ShutdownComp, server_id));
        wait(&client, Interest::READ);
        assert_eq!(client.progress(&mut ending), Progress::Over);
        assert!(client.end_gracefully().is_none());
    }
    let listening = open(Style::OneToMany, LOOPBACK);
    listening.listen(5).unwrap();
    assert!(listening.end_gracefully().is_none());
    assert!(!listening.is_listening());
}

pub(crate) fn unread_data_is_noticed() {
    let (client, id, server, _) = associated(Style::OneToMany, LOOPBACK);
    assert!(!server.has_unread_data());
    client.send(&SndInfo { assoc: id, ..SndInfo::default() }, b"data").unwrap();
    wait(&server, Interest::READ);
    assert!(server.has_unread_data());
}

pub(crate) fn abort_with_reason() {
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

pub(crate) fn refused_connect_keeps_the_id() {
    let client = open(Style::OneToMany, LOOPBACK);
    let id = client.connect(&[closed_port()]).unwrap();
    assert_ne!(id, AssocId::FUTURE);
    assert_eq!(recv_change(&client), (AssocState::CantStrAssoc, id));
}

pub(crate) fn connect_twice() {
    let (client, _, server, _) = associated(Style::OneToMany, LOOPBACK);
    let addr = server.local_addr().unwrap();
    assert_eq!(errno(client.connect(&[addr])), libc::EISCONN);
    assert_eq!(errno(client.connect(&[])), libc::EINVAL);
    assert_eq!(errno(client.peer_addr()), libc::ENOTCONN);
}

/// More of them than are asked for at first.
pub(crate) fn associations_are_listed() {
    let server = open(Style::OneToMany, LOOPBACK);
    server.listen(5).unwrap();
    assert_eq!(server.assoc_ids().unwrap(), []);
    let mut clients = Vec::new();
    let mut ids = Vec::new();
    for _ in 0..20 {
        let client = open(Style::OneToOne, LOOPBACK);
        client.connect(&[server.local_addr().unwrap()]).unwrap();
        let (state, id) = recv_change(&server);
        assert_eq!(state, AssocState::CommUp);
        assert_eq!(errno(client.assoc_ids()), libc::EOPNOTSUPP);
        ids.push(id);
        clients.push(client);
        let mut listed = server.assoc_ids().unwrap();
        listed.sort_unstable_by_key(|id| id.0);
        assert_eq!(listed, ids);
    }
}

pub(crate) fn peeled_off() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    client.send(&SndInfo { assoc: id, ..SndInfo::default() }, b"queued").unwrap();
    wait(&server, Interest::READ);
    let child = server.peeloff(server_id).unwrap();
    assert!(child.style() == Style::OneToOne);
    let (received, data) = recv_data(&child);
    assert_eq!((&data[..], received.anc.info.unwrap().assoc), (&b"queued"[..], server_id));
    assert_eq!(child.peer_addr().unwrap(), client.local_addr().unwrap());
    assert_eq!(errno(child.recv(&mut [0])), libc::EAGAIN, "it does not block");
    child.send(&SndInfo::default(), b"any id will do").unwrap();
    assert_eq!(recv_data(&client).1, b"any id will do");
    assert_eq!(errno(server.peeloff(server_id)), libc::EINVAL);
    assert_eq!(errno(server.peeloff(AssocId(0))), libc::EINVAL);
}

pub(crate) fn one_to_one() {
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

pub(crate) fn several_addresses() {
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
pub(crate) fn many_addresses() {
    let server = open(Style::OneToMany, LOOPBACK);
    let port = server.local_addr().unwrap().port();
    let more: Vec<_> = (2..=150).map(|i| SocketAddr::from(([127, 0, 0, i], port))).collect();
    server.bindx(Bindx::Add, &more).unwrap();
    assert_eq!(server.local_addrs(AssocId::FUTURE).unwrap().len(), 150);
}

pub(crate) fn ipv6_and_mapped_ipv4() {
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
