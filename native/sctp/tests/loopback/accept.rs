//! One-to-one sockets that listen, and how one end stops.

use super::*;

fn listening(addr: &str) -> Socket {
    let socket = open(Style::OneToOne, addr);
    socket.listen(5).unwrap();
    socket
}

fn connected(server: &Socket, addr: &str) -> Socket {
    let client = open(Style::OneToOne, addr);
    let id = client.connect(&[server.local_addr().unwrap()]).unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommUp, id));
    client
}

/// The two ends of an association, neither of which has been peeled off.
fn accepted() -> (Socket, Socket) {
    let server = listening(LOOPBACK);
    let client = connected(&server, LOOPBACK);
    let accepted = server.accept().unwrap();
    assert_eq!(recv_change(&accepted).0, AssocState::CommUp);
    (accepted, client)
}

pub(crate) fn accepted_in_order() {
    for addr in [LOOPBACK, "[::1]:0"] {
        let server = listening(addr);
        assert!(!server.has_waiting().unwrap());
        assert_eq!(errno(server.accept()), libc::EAGAIN);
        let clients = [(); 3].map(|()| connected(&server, addr));
        wait(&server, Interest::READ);
        for client in clients {
            assert!(server.has_waiting().unwrap());
            let accepted = server.accept().unwrap();
            assert_eq!((accepted.style(), accepted.family()), (Style::OneToOne, server.family()));
            assert_eq!(accepted.peer_addr().unwrap(), client.local_addr().unwrap());
            assert!(!accepted.is_listening());
            assert_eq!(recv_change(&accepted).0, AssocState::CommUp);
            client.send(&SndInfo::default(), b"there").unwrap();
            let (received, data) = recv_data(&accepted);
            assert_eq!(data, b"there");
            assert!(received.anc.info.is_some());
            accepted.send(&SndInfo::default(), b"back").unwrap();
            assert_eq!(recv_data(&client).1, b"back");
        }
        assert_eq!(errno(server.accept()), libc::EAGAIN);
    }
}

pub(crate) fn what_cannot_be_accepted() {
    let (client, _, server, _) = associated(Style::OneToOne, LOOPBACK);
    assert_eq!(errno(server.accept()), libc::EOPNOTSUPP);
    assert_eq!(errno(client.accept()), libc::EINVAL);
}

pub(crate) fn options_are_inherited() {
    let server = listening(LOOPBACK);
    // The type of service first: it changes the priority.
    let set = [("tos", 0x68), ("priority", 5), ("reuseport", 1), ("recvtos", 1), ("ttl", 77)];
    for (name, value) in set {
        server.set_option(option(name), &i32::to_ne_bytes(value)).unwrap();
    }
    let _client = connected(&server, LOOPBACK);
    let accepted = server.accept().unwrap();
    for (name, value) in set {
        let mut found = [0; 4];
        accepted.get_option(option(name), &mut found).unwrap();
        assert_eq!(i32::from_ne_bytes(found), value, "{name}");
    }
}

pub(crate) fn shut_down() {
    let peeled = || {
        let (client, _, server, id) = associated(Style::OneToOne, LOOPBACK);
        (server.peeloff(id).unwrap(), client)
    };
    for (socket, peer) in [accepted(), peeled()] {
        socket.send(&SndInfo::default(), b"before").unwrap();
        socket.shutdown(Half::Read).unwrap();
        assert!(recv(&socket).0.is_end_of_stream());
        assert_eq!(recv_data(&peer).1, b"before");
        socket.shutdown(Half::Write).unwrap();
        let (received, bytes) = recv(&peer);
        assert!(received.notification);
        assert!(matches!(parse(&bytes), Some(Notification::Shutdown { .. })));
        assert_eq!(recv_change(&peer).0, AssocState::ShutdownComp);
        let late = errno(socket.send(&SndInfo::default(), b"late"));
        assert!([libc::EPIPE, libc::ESHUTDOWN].contains(&late));
    }
    for (socket, peer) in [accepted(), peeled()] {
        socket.shutdown(Half::Both).unwrap();
        assert!(matches!(parse(&recv(&peer).1), Some(Notification::Shutdown { .. })));
        while !recv(&socket).0.is_end_of_stream() {}
    }
}

pub(crate) fn not_to_be_shut_down() {
    for half in [Half::Read, Half::Write, Half::Both] {
        let (client, _, server, id) = associated(Style::OneToOne, LOOPBACK);
        assert_eq!(errno(server.shutdown(half)), libc::EOPNOTSUPP);
        client.send(&SndInfo::default(), b"there").unwrap();
        assert_eq!(recv_data(&server).1, b"there");
        server.send(&SndInfo { assoc: id, ..SndInfo::default() }, b"back").unwrap();
        assert_eq!(recv_data(&client).1, b"back");
        let listening = listening(LOOPBACK);
        let unconnected = open(Style::OneToOne, LOOPBACK);
        for socket in [&listening, &unconnected] {
            assert_eq!(errno(socket.shutdown(half)), libc::ENOTCONN);
        }
        let client = connected(&listening, LOOPBACK);
        listening.accept().unwrap().send(&SndInfo::default(), b"as before").unwrap();
        assert_eq!(recv_data(&client).1, b"as before");
    }
}
