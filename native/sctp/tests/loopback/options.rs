//! Options, opening and closing.

use super::*;

pub(crate) fn default_send_info() {
    let (client, id, _server, _) = associated(Style::OneToMany, LOOPBACK);
    assert_eq!(client.default_send_info(AssocId::FUTURE).unwrap(), SndInfo::default());
    let info = SndInfo { stream: 2, ppid: 46, context: 1, timetolive: 9, assoc: id, flags: 1 };
    client.set_option(SOL_SCTP, optname::DEFAULT_SEND_PARAM, &info.encode()).unwrap();
    assert_eq!(client.default_send_info(id).unwrap(), info);
    assert_eq!(client.default_send_info(AssocId::FUTURE).unwrap(), SndInfo::default());
}

pub(crate) fn only_the_chosen_events_are_on() {
    let socket = open(Style::OneToMany, LOOPBACK);
    let mut events = [9; 64];
    let len = socket.get_option(SOL_SCTP, optname::EVENTS, &mut events).unwrap();
    assert!((10..=14).contains(&len), "{len}");
    assert_eq!(events[..7], [0, 1, 1, 1, 1, 1, 1]);
    assert!(events[7..len].iter().all(|event| *event == 0));
}

/// What is set big endian is notified big endian at the other end.
pub(crate) fn adaptation_indication() {
    let server = open(Style::OneToMany, LOOPBACK);
    assert!(!server.is_listening());
    server.listen(5).unwrap();
    assert!(server.is_listening());
    let indication = 0x0102_0304u32.to_be_bytes();
    server.set_option(SOL_SCTP, optname::ADAPTATION_LAYER, &indication).unwrap();
    let client = open(Style::OneToMany, LOOPBACK);
    client.set_option(SOL_SCTP, optname::EVENTS, &[0, 1, 0, 0, 0, 0, 0, 1]).unwrap();
    let id = client.connect(&[server.local_addr().unwrap()]).unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommUp, id));
    let (_, bytes) = recv(&client);
    let expected = Notification::Adaptation { indication: 0x0102_0304, assoc: id };
    assert_eq!(parse(&bytes), Some(expected));
}

/// A lingering time of 0 means to abort, and so does the kernel with unread data.
pub(crate) fn linger_does_not_block_close() {
    for (seconds, unread, aborts) in [(0, false, true), (30, true, true), (30, false, false)] {
        let (client, _, server, id) = associated(Style::OneToOne, LOOPBACK);
        let linger: [[u8; 4]; 2] = [1i32.to_ne_bytes(), i32::to_ne_bytes(seconds)];
        client.set_option(libc::SOL_SOCKET, libc::SO_LINGER, &linger.concat()).unwrap();
        let start = Instant::now();
        client.close(unread);
        assert!(start.elapsed() < Duration::from_secs(10));
        if aborts {
            assert_eq!(recv_change(&server), (AssocState::CommLost, id));
        } else {
            let (_, bytes) = recv(&server);
            assert_eq!(parse(&bytes), Some(Notification::Shutdown { assoc: id }));
            assert_eq!(recv_change(&server), (AssocState::ShutdownComp, id));
        }
    }
}

pub(crate) fn missing_netns() {
    let open = |path| Socket::open(Family::Inet, Style::OneToMany, Some(path));
    assert_eq!(open(c"/nonexistent").unwrap_err().raw_os_error(), Some(libc::ENOENT));
    let here = open(c"/proc/self/ns/net");
    match here {
        Ok(socket) => assert_eq!(socket.style(), Style::OneToMany),
        // Entering even one's own namespace takes privileges.
        Err(error) => assert_eq!(error.raw_os_error(), Some(libc::EPERM)),
    }
}
