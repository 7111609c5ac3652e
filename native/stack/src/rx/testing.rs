//! A receiver for tests.

use std::time::Duration;

use super::{Delivered, Inbound, Message, Settings, Verdict};
use crate::types::{Ssn, StreamId, Time, Tsn};
use crate::wire::{Data, Skipped};

/// The first TSN.
pub(super) const FIRST: u32 = 100;

pub(super) fn settings(receive_buffer: usize) -> Settings {
    Settings {
        sack_delay: Duration::from_millis(200),
        sack_frequency: 2,
        receive_buffer,
        partial_delivery_point: 0,
        mtu: 1000,
    }
}

pub(super) struct Receiver {
    pub(super) rx: Inbound,
}

/// A DATA chunk whose TSN is so many after the first. Its bytes are all the low byte of its TSN.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chunk {
    pub(super) tsn: u32,
    pub(super) stream: StreamId,
    pub(super) ssn: u16,
    pub(super) ppid: u32,
    pub(super) unordered: bool,
    pub(super) beginning: bool,
    pub(super) end: bool,
    pub(super) immediate: bool,
    pub(super) len: usize,
}

/// A whole message on stream 0.
pub(super) fn whole(tsn: u32, ssn: u16) -> Chunk {
    Chunk {
        tsn,
        stream: 0,
        ssn,
        ppid: 0,
        unordered: false,
        beginning: true,
        end: true,
        immediate: false,
        len: 10,
    }
}

/// A fragment of the message `ssn` of stream 0: `B`, `M` or `E`.
pub(super) fn fragment(kind: char, tsn: u32, ssn: u16) -> Chunk {
    Chunk { beginning: kind == 'B', end: kind == 'E', ..whole(tsn, ssn) }
}

impl Receiver {
    pub(super) fn new(receive_buffer: usize) -> Receiver {
        Receiver::with(settings(receive_buffer))
    }

    pub(super) fn with(settings: Settings) -> Receiver {
        Receiver { rx: Inbound::new(settings, Tsn(FIRST), 10) }
    }

    /// A packet with one chunk.
    pub(super) fn get(&mut self, chunk: Chunk) -> Verdict {
        let payload = vec![chunk.tsn as u8; chunk.len];
        let verdict = self.rx.data(&Data {
            immediate: chunk.immediate,
            unordered: chunk.unordered,
            beginning: chunk.beginning,
            end: chunk.end,
            tsn: Tsn(FIRST.wrapping_add(chunk.tsn)),
            stream: chunk.stream,
            ssn: Ssn(chunk.ssn),
            ppid: chunk.ppid,
            payload: &payload,
        });
        self.rx.packet_end(Time(0));
        verdict
    }

    pub(super) fn get_all(&mut self, chunks: &[Chunk]) {
        chunks.iter().for_each(|chunk| assert_eq!(self.get(*chunk), Verdict::Fine, "{chunk:?}"));
    }

    /// FORWARD TSN: how many TSNs are over, and stream and number of messages.
    pub(super) fn forward(&mut self, over: u32, skipped: &[(u16, u16)]) -> Verdict {
        let skipped =
            skipped.iter().map(|(stream, ssn)| Skipped { stream: *stream, ssn: Ssn(*ssn) });
        let verdict = self.rx.forward(Tsn(FIRST.wrapping_add(over).wrapping_sub(1)), skipped);
        self.rx.packet_end(Time(0));
        verdict
    }

    /// What has come out; the user receives it if `read`.
    fn out(&mut self, read: bool) -> Vec<Delivered> {
        let mut out = Vec::new();
        while let Some(delivered) = self.rx.take() {
            if let Delivered::Data(message) = &delivered
                && read
            {
                self.rx.release(message.charge);
            }
            out.push(delivered);
        }
        out
    }

    /// What has come out and is received: stream, number, lengths, whether it ends; -1 for a message
    /// that never ends.
    pub(super) fn read(&mut self) -> Vec<(u16, u16, isize, bool)> {
        self.out(true).iter().map(summary).collect()
    }

    /// What has come out and waits.
    pub(super) fn waits(&mut self) -> Vec<Message> {
        let out = self.out(false).into_iter().map(|delivered| match delivered {
            Delivered::Data(message) => message,
            Delivered::Aborted { .. } => panic!("nothing ends before its end"),
        });
        out.collect()
    }

    /// How many have come in a row, and the gaps as TSNs after the first.
    pub(super) fn came(&self) -> (u32, Vec<(u32, u32)>) {
        let came = self.rx.cumulative().0.wrapping_sub(FIRST).wrapping_add(1);
        let tsn = |offset: u16| came + u32::from(offset) - 1;
        (came, self.rx.gaps().map(|gap| (tsn(gap.start), tsn(gap.end))).collect())
    }

    /// A SACK, if one is due: its window.
    pub(super) fn sack(&mut self) -> Option<u32> {
        self.rx.sack_is_due(Time(0)).then(|| self.rx.take_sack().window)
    }
}

fn summary(delivered: &Delivered) -> (u16, u16, isize, bool) {
    match delivered {
        Delivered::Data(message) => {
            let len = isize::try_from(message.bytes.len()).unwrap();
            (message.stream, message.ssn.0, len, message.end)
        }
        Delivered::Aborted { stream, ssn } => (*stream, ssn.0, -1, true),
    }
}
