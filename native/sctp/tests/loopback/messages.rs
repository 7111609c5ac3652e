//! Sending and receiving.

use super::*;

pub(crate) fn messages_and_their_information() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    let info = SndInfo { stream: 3, ppid: 46, context: 5, assoc: id, ..SndInfo::default() };
    client.send(&info, b"first").unwrap();
    client.send(&info, b"second").unwrap();
    client.send(&SndInfo { flags: flags::UNORDERED, ..info }, b"third").unwrap();

    let (first, data) = recv_data(&server);
    assert_eq!(data, b"first");
    assert_eq!(first.from, Some(client.local_addr().unwrap()));
    let got = first.anc.info.unwrap();
    assert_eq!((got.stream, got.ssn, got.flags, got.ppid), (3, 0, 0, 46));
    assert_eq!((got.assoc, got.cumtsn, got.context), (server_id, 0, 0));

    let (second, data) = recv_data(&server);
    assert_eq!(data, b"second");
    let got = second.anc.info.unwrap();
    assert_eq!((got.ssn, got.tsn), (1, first.anc.info.unwrap().tsn.wrapping_add(1)));

    let (third, data) = recv_data(&server);
    assert_eq!(data, b"third");
    assert_eq!(third.anc.info.unwrap().flags, flags::UNORDERED);

    let reply = SndInfo { assoc: server_id, ..SndInfo::default() };
    server.send(&reply, b"back").unwrap();
    assert_eq!(recv_data(&client).1, b"back");
    assert_eq!((client.assoc_count().unwrap(), server.assoc_count().unwrap()), (1, 1));
}

pub(crate) fn a_message_in_pieces() {
    let (client, id, server, _) = associated(Style::OneToMany, LOOPBACK);
    let sent: Vec<u8> = (0..10_000u32).map(|i| i as u8).collect();
    client.send(&SndInfo { assoc: id, ..SndInfo::default() }, &sent).unwrap();
    let (mut got, mut buf, mut pieces) = (Vec::new(), [0; 3000], 0);
    loop {
        let received = recv_into(&server, &mut buf);
        assert!(received.anc.info.is_some(), "with every piece");
        got.extend_from_slice(&buf[..received.len]);
        pieces += 1;
        if received.end_of_record {
            break;
        }
    }
    assert_eq!((got, pieces), (sent, 4));
    assert_eq!(errno(server.recv(&mut [])), libc::EINVAL);
}

pub(crate) fn batches() {
    let (client, id, server, _) = associated(Style::OneToMany, LOOPBACK);
    let payloads: Vec<_> = (0..200u8).map(|i| vec![i; 100]).collect();
    let info = |i: usize| SndInfo { stream: i as u16 % 10, ppid: i as u32, ..to(id) };
    let messages: Vec<_> = payloads.iter().enumerate().map(|(i, p)| (info(i), &p[..])).collect();
    let before = packets_sent();
    let mut sent = 0;
    while sent < messages.len() {
        let now = client.send_batch(id, &messages[sent..]);
        assert!(now > 1, "{now} after {sent}");
        for (info, payload) in &messages[sent..sent + now] {
            let (received, data) = recv_data(&server);
            let got = received.anc.info.unwrap();
            assert_eq!((got.stream, got.ppid, &data[..]), (info.stream, info.ppid, *payload));
        }
        sent += now;
    }
    // Data and the answers to it.
    let packets = packets_sent() - before;
    assert!(packets <= 20, "{packets} packets");
}

pub(crate) fn a_batch_ends_before_what_is_wrong() {
    let (client, id, server, _) = associated(Style::OneToMany, LOOPBACK);
    let good = (to(id), &b"good"[..]);
    let no_stream = (SndInfo { stream: 60_000, ..to(id) }, &b"x"[..]);
    let too_long = vec![0; 1 << 20];
    for bad in [no_stream, (to(id), b""), (to(id), &too_long)] {
        assert_eq!(client.send_batch(id, &[good, good, bad, good]), 2);
        // Though nothing else is sent.
        assert_eq!(recv_data(&server).1, b"good");
        assert_eq!(recv_data(&server).1, b"good");
        assert_eq!(client.send_batch(id, &[bad]), 0);
    }
    assert_eq!(client.send_batch(id, &[]), 0);
    assert_eq!(client.send_batch(id, &[good]), 1);
    assert_eq!(recv_data(&server).1, b"good");
    assert_eq!(client.send_batch(AssocId(77), &[good]), 0);
}

pub(crate) fn a_batch_ends_where_the_buffer_does() {
    let (client, id, server, _) = associated(Style::OneToMany, LOOPBACK);
    // The peer does not read: its window closes, then the send buffer fills.
    let (payload, mut sent) = (vec![7; 1000], 0);
    let messages = [(to(id), &payload[..]); 64];
    loop {
        match client.send_batch(id, &messages) {
            0 => break,
            now => sent += now,
        }
    }
    while client.send(&to(id), &payload).is_ok() {
        sent += 1;
    }
    assert!(sent > 64, "{sent}");
    for _ in 0..sent {
        assert_eq!(recv_data(&server).1, payload);
    }
    assert_eq!(errno(server.recv(&mut [0; 10])), libc::EAGAIN);
}

pub(crate) fn many_at_a_time() {
    let (client, id, server, server_id) = associated(Style::OneToMany, LOOPBACK);
    let mut ahead = Ahead::new(8, 100);
    assert_eq!(errno(server.recv_ahead(&mut ahead, 8)), libc::EAGAIN);
    for payload in [&b"first"[..], b"second", &[3; 250], b"fourth"] {
        client.send(&to(id), payload).unwrap();
    }
    client.send(&SndInfo { flags: flags::EOF, ..to(id) }, &[]).unwrap();
    let mut taken = Vec::new();
    // Fewer than there are places, then more.
    let mut most = 2;
    while !taken.iter().any(|(_, _, notification)| *notification) {
        let count = match server.recv_ahead(&mut ahead, most) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                wait(&server, Interest::READ);
                continue;
            }
            result => result.unwrap(),
        };
        assert_eq!(ahead.was_short(), count < most);
        for _ in 0..count {
            assert!(!ahead.is_empty());
            let (place, received) = ahead.take().unwrap().unwrap();
            let payload = ahead.payload(place, received.len).to_vec();
            assert_eq!(received.from, Some(client.local_addr().unwrap()));
            match received.anc.info {
                Some(info) => assert_eq!(info.assoc, server_id),
                None => assert!(received.notification),
            }
            taken.push((payload, received.end_of_record, received.notification));
        }
        assert!(ahead.is_empty() && ahead.take().is_none());
        most = 100;
    }
    let data: Vec<_> =
        taken.iter().filter(|t| !t.2).map(|(payload, last, _)| (&payload[..], *last)).collect();
    let pieces = [(&[3; 100][..], false), (&[3; 100], false), (&[3; 50], true)];
    let whole = [(&b"first"[..], true), (b"second", true)];
    assert_eq!(data, [&whole[..], &pieces, &[(b"fourth", true)]].concat());
}

fn to(assoc: AssocId) -> SndInfo {
    SndInfo { assoc, ..SndInfo::default() }
}

/// Of this network namespace, in which nobody else sends.
fn packets_sent() -> u64 {
    let text = std::fs::read_to_string("/proc/net/sctp/snmp").unwrap();
    let line = text.lines().find(|line| line.starts_with("SctpOutSCTPPacks")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

pub(crate) fn send_errors() {
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

pub(crate) fn send_buffer_full() {
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
    wait(&client, Interest { writable: true, ..Interest::NONE });
    client.send(&info, b"room again").unwrap();
}

/// What is still unsent when its association is aborted comes back.
pub(crate) fn send_failed_notification() {
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
    assert_eq!((sent, assoc, &data[..]), (false, id, &b"ahead"[..]));
    assert_eq!((info.stream, info.ppid, info.context), (1, 46, 99));
}
