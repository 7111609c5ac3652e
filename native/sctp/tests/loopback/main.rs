//! The socket against the kernel's SCTP over the loopback interface.
//!
//! Has its own `main`, so that without SCTP in the kernel every case is reported as skipped, not as
//! passed. With `SCTP_REQUIRED` in the environment that is a failure. Arguments that are no options
//! select cases by a part of their names.

mod accept;
mod associations;
mod messages;
mod options;

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sctp::notification::{AssocState, Notification, parse};
use sctp::option::{OPTIONS, OptionSpec};
use sctp::types::flags;
use sctp::{
    Ahead, AssocId, Bindx, Epoll, Events, Family, Half, Interest, Received, SndInfo, Socket,
    Source, Style, Token,
};

const CASES: &[(&str, fn())] = &[
    ("messages_and_their_information", messages::messages_and_their_information),
    ("graceful_shutdown", associations::graceful_shutdown),
    ("abort_with_reason", associations::abort_with_reason),
    ("refused_connect_keeps_the_id", associations::refused_connect_keeps_the_id),
    ("connect_twice", associations::connect_twice),
    ("a_message_in_pieces", messages::a_message_in_pieces),
    ("associations_are_listed", associations::associations_are_listed),
    ("peeled_off", associations::peeled_off),
    ("one_to_one", associations::one_to_one),
    ("accepted_in_order", accept::accepted_in_order),
    ("what_cannot_be_accepted", accept::what_cannot_be_accepted),
    ("options_are_inherited", accept::options_are_inherited),
    ("shut_down", accept::shut_down),
    ("not_to_be_shut_down", accept::not_to_be_shut_down),
    ("several_addresses", associations::several_addresses),
    ("many_addresses", associations::many_addresses),
    ("ipv6_and_mapped_ipv4", associations::ipv6_and_mapped_ipv4),
    ("batches", messages::batches),
    ("a_batch_ends_before_what_is_wrong", messages::a_batch_ends_before_what_is_wrong),
    ("a_batch_ends_where_the_buffer_does", messages::a_batch_ends_where_the_buffer_does),
    ("many_at_a_time", messages::many_at_a_time),
    ("send_errors", messages::send_errors),
    ("send_buffer_full", messages::send_buffer_full),
    ("send_failed_notification", messages::send_failed_notification),
    ("default_send_info", options::default_send_info),
    ("only_the_chosen_events_are_on", options::only_the_chosen_events_are_on),
    ("adaptation_indication", options::adaptation_indication),
    ("linger_does_not_block_close", options::linger_does_not_block_close),
    ("unread_data_is_noticed", associations::unread_data_is_noticed),
    ("associations_end_before_the_socket", associations::associations_end_before_the_socket),
    ("missing_netns", options::missing_netns),
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
    socket.set_option(option("sctp_nodelay"), &1i32.to_ne_bytes()).unwrap();
    socket.bind(addr).unwrap();
    socket
}

fn option(name: &str) -> &'static OptionSpec {
    OPTIONS.iter().find(|option| option.name == name).unwrap()
}

/// Waits until the socket is ready for what is asked.
fn wait(socket: &Socket, interest: Interest) {
    let epoll = Epoll::new().unwrap();
    let mut events = Events::with_capacity(1);
    let Source::Fd(fd) = socket.source() else { panic!("the kernel's have descriptors") };
    epoll.add(fd, Token(1), interest).unwrap();
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

/// One whole message or notification, or the end of the stream.
fn recv(socket: &Socket) -> (Received, Vec<u8>) {
    let mut buf = vec![0; 65536];
    let received = recv_into(socket, &mut buf);
    assert!(received.end_of_record || received.is_end_of_stream(), "{received:?}");
    buf.truncate(received.len);
    (received, buf)
}

fn recv_data(socket: &Socket) -> (Received, Vec<u8>) {
    let (received, data) = recv(socket);
    assert!(!received.notification, "{:?}", parse(&data));
    (received, data)
}

/// The next item, which is a change of an association. (What is read between the peer's SHUTDOWN and the
/// end of the association is the end of the stream.)
fn recv_change(socket: &Socket) -> (AssocState, AssocId) {
    let (received, bytes) = loop {
        let (received, bytes) = recv(socket);
        if !received.is_end_of_stream() {
            break (received, bytes);
        }
    };
    assert!(received.notification, "data: {bytes:?}");
    assert!(received.from.is_some() && received.anc.info.is_none());
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
