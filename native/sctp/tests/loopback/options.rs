//! Options, opening and closing.

use super::*;

pub(crate) fn default_send_info() {
    let (client, id, _server, _) = associated(Style::OneToMany, LOOPBACK);
    assert_eq!(client.default_send_info(AssocId::FUTURE).unwrap(), SndInfo::default());
    let info = SndInfo { stream: 2, flags: 1, ppid: 46, ..SndInfo::default() };
    let info = SndInfo { context: 1, timetolive: 9, assoc: id, ..info };
    client.set_option(option("sctp_default_send_param"), &info.encode()).unwrap();
    assert_eq!(client.default_send_info(id).unwrap(), info);
    assert_eq!(client.default_send_info(AssocId::FUTURE).unwrap(), SndInfo::default());
}

pub(crate) fn only_the_chosen_events_are_on() {
    let socket = open(Style::OneToMany, LOOPBACK);
    let mut events = [9; 64];
    let len = socket.get_option(option("sctp_events"), &mut events).unwrap();
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
    server.set_option(option("sctp_adaptation_layer"), &indication).unwrap();
    let client = open(Style::OneToMany, LOOPBACK);
    client.set_option(option("sctp_events"), &[0, 1, 0, 0, 0, 0, 0, 1]).unwrap();
    let id = client.connect(&[server.local_addr().unwrap()]).unwrap();
    assert_eq!(recv_change(&client), (AssocState::CommUp, id));
    let (_, bytes) = recv(&client);
    let expected = Notification::Adaptation { indication: 0x0102_0304, assoc: id };
    assert_eq!(parse(&bytes), Some(expected));
}

pub(crate) fn linger_does_not_block_close() {
    let (client, _, _server, _) = associated(Style::OneToOne, LOOPBACK);
    let linger = |seconds: i32| [1i32.to_ne_bytes(), seconds.to_ne_bytes()].concat();
    let current = || {
        let mut value = [0; 8];
        client.get_option(option("linger"), &mut value).unwrap();
        value.to_vec()
    };
    client.set_option(option("linger"), &linger(0)).unwrap();
    client.prepare_close(false).unwrap();
    assert_eq!(current(), linger(0), "it means to abort");
    client.set_option(option("linger"), &linger(30)).unwrap();
    client.prepare_close(true).unwrap();
    assert_eq!(current(), linger(0), "as the kernel does with unread data");
    client.set_option(option("linger"), &linger(30)).unwrap();
    client.prepare_close(false).unwrap();
    assert_eq!(current()[..4], [0; 4]);
    let start = Instant::now();
    drop(client);
    assert!(start.elapsed() < Duration::from_secs(10));
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
