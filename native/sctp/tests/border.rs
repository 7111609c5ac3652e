//! The border between backends and the rest: a backend that refuses everything is a socket like any
//! other, whose every call says so.
#![cfg(feature = "stub")]

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::channel;

use sctp::option::OPTIONS;
use sctp::{
    Ahead, AssocId, Bindx, Family, Half, Interest, SndInfo, Socket, Source, Style, To, Token, stub,
};

fn refused<T: Debug>(result: io::Result<T>) {
    assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::EOPNOTSUPP));
}

#[test]
fn every_call_is_refused() {
    let addr = SocketAddr::from(([127, 0, 0, 1], 1));
    let assoc = AssocId(1);
    for style in [Style::OneToMany, Style::OneToOne] {
        let socket = Socket::Stub(stub::Socket::new(Family::Inet6, style));
        assert_eq!((socket.family(), socket.style()), (Family::Inet6, style));
        refused(socket.fd());
        refused(socket.bind(addr));
        refused(socket.bindx(Bindx::Add, &[addr]));
        refused(socket.listen(1));
        refused(socket.connect(&[addr]));
        refused(socket.send(&SndInfo::default(), b"data"));
        for to in [To::Assoc, To::Path(addr), To::All] {
            refused(socket.send_to(to, &SndInfo::default(), b"data"));
        }
        refused(socket.recv(&mut [0; 10]));
        refused(socket.recv_ahead(&mut Ahead::new(2, 10), 2));
        refused(socket.peeloff(assoc));
        refused(socket.has_waiting());
        refused(socket.accept());
        refused(socket.shutdown(Half::Both));
        refused(socket.local_addr());
        refused(socket.peer_addr());
        refused(socket.local_addrs(assoc));
        refused(socket.peer_addrs(assoc));
        refused(socket.assoc_count());
        refused(socket.assoc_ids());
        refused(socket.assocs());
        refused(socket.status(assoc));
        refused(socket.paths(assoc));
        refused(socket.assoc_stats(assoc));
        refused(socket.default_send_info(assoc));
        refused(socket.abort(assoc));
        refused(socket.abort_at_close());
        for option in OPTIONS {
            refused(socket.get_option(option, &mut [0; 200]));
            refused(socket.set_option(option, &[0; 200]));
        }
        assert_eq!(socket.send_batch(assoc, &[(SndInfo::default(), b"data")]), 0);
        assert!(!socket.is_listening() && !socket.has_assoc(assoc) && !socket.reads_ahead());
        assert!(socket.closes_quickly() && !socket.encapsulates());
        socket.prepare_close(true).unwrap();
    }
}

#[test]
fn its_events_are_posted() {
    let socket = Socket::Stub(stub::Socket::new(Family::Inet, Style::OneToMany));
    let Source::Posted(readiness) = socket.source() else { panic!("it has no descriptor") };
    let (sender, events) = channel();
    let post = move |event| sender.send(event).unwrap();
    readiness.add(Token(5), Interest::READ, Box::new(post));
    readiness.set(true, false, false);
    let event = events.try_recv().unwrap();
    assert!(event.token == Token(5) && event.readable && !event.writable && !event.error);
}
