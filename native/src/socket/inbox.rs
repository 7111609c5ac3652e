//! Reading from the kernel, piece by piece, until a message is whole; events become typed here.

use std::io::{self, IoSliceMut};
use std::mem::take;

use flow::budget::Budget;
use flow::stats::RecvCounts;
use rustler::OwnedBinary;
use sctp::notification;
use sctp::reassembly::{Added, Reassembly};
use sctp::{Ahead, AssocId, Notification, RcvInfo, Received};

use crate::message::{Content, Message, Payload};
use crate::terms::event;

/// The largest single read; a larger `buffer` is accepted and read in several.
const READ_MAX: usize = 1024 * 1024;

/// From this size on a message is read into the binary that Erlang gets: below, copying it costs
/// less than a binary made for a message that turns out smaller. And it does not share a binary
/// with others of a batch: who keeps one of those keeps all.
pub(crate) const DIRECT_MIN: usize = 1024;

/// The room of each message that is read together with others. Larger ones come in pieces, and the
/// next ones alone.
const AHEAD_SIZE: usize = DIRECT_MIN;

/// Messages that are received together, at most.
pub(crate) const MOST: usize = 64;

/// What has been read of messages that are not whole yet, and what was learnt by reading.
#[derive(Default)]
pub(crate) struct Inbox {
    fragments: Reassembly,
    /// Pieces of a notification larger than the read buffer.
    notification: Vec<u8>,
    /// The size of the last message, a guess at the next one's.
    expected: usize,
    /// The last read said "end of stream" or "no association", as every read will at once until
    /// something happens.
    exhausted: bool,
    received: RecvCounts,
    /// Events that nobody wanted.
    dropped: u64,
}

/// What bounds reading, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Limits {
    /// Read at a time.
    pub(crate) buffer: usize,
    /// Of a message.
    pub(crate) message: usize,
}

/// Where a thread reads to.
pub(crate) struct Scratch {
    /// Grown to the largest buffer asked for.
    bytes: Vec<u8>,
    /// A binary that was made for a message and not used.
    spare: Option<OwnedBinary>,
    /// Messages that were read together. None remain after a pass.
    pub(crate) ahead: Ahead,
    /// What the kernel said with the last piece.
    meta: Received,
}

impl Scratch {
    pub(crate) const fn new() -> Scratch {
        Scratch {
            bytes: Vec::new(),
            spare: None,
            ahead: Ahead::new(MOST, AHEAD_SIZE),
            meta: Received::NOTHING,
        }
    }

    fn binary(&mut self, len: usize) -> OwnedBinary {
        self.spare
            .take()
            .filter(|spare| spare.len() == len)
            .unwrap_or_else(|| OwnedBinary::new(len))
    }
}

/// As [`Added`], of all that is read.
enum Joined {
    /// It is whole by itself, in the binary that it was read to.
    InBinary(OwnedBinary),
    /// It is whole by itself, and still where it was read to.
    AsRead,
    /// It is whole with this piece; and what came with the first one.
    PutTogether(Vec<u8>, Option<RcvInfo>),
    /// None is an event that Erlang has no record for.
    Event(Option<Box<Notification>>),
    Partial,
    TooLong(AssocId),
}

/// Where a piece was read to.
enum Place {
    Scratch,
    /// The first bytes, and the rest to the scratch.
    Binary(OwnedBinary),
    Ahead(usize),
}

pub(crate) enum Read<'a> {
    Message(Message<'a>),
    Nothing,
    /// Nor will there be anything but the end of the association.
    EndOfStream,
    /// The budget is spent.
    Spent,
    Error(i32),
}

impl Inbox {
    /// Those of a socket that takes over an association with what has come of its messages.
    pub(crate) fn with(fragments: Reassembly) -> Inbox {
        Inbox { fragments, ..Inbox::default() }
    }

    /// Counts an event that the owner wants, as gen_sctp's kernel tells of no other.
    pub(crate) fn count_wanted(&mut self, len: usize) {
        self.received.add(len);
    }

    /// Counts an event that goes nowhere, as nobody wants it.
    pub(crate) fn drop_unwanted(&mut self) {
        self.dropped += 1;
    }

    /// How many of them there were.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(crate) fn counts(&self) -> &RecvCounts {
        &self.received
    }

    /// The memory that pieces take.
    pub(crate) fn bytes(&self) -> usize {
        self.fragments.bytes() + self.notification.len()
    }

    /// Are there pieces of data that nobody has got?
    pub(crate) fn has_data(&self) -> bool {
        !self.fragments.is_empty()
    }

    /// Does reading say the same until something happens?
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted
    }

    /// There is no association to read from.
    pub(crate) fn exhaust(&mut self) {
        self.exhausted = true;
    }

    /// There may be something to read from again.
    pub(crate) fn refresh(&mut self) {
        self.exhausted = false;
    }

    /// Nothing more comes of the messages of an association.
    pub(crate) fn abandon(&mut self, assoc: AssocId) {
        self.fragments.abandon(assoc);
    }

    /// Nothing more comes of a message, of which a partial delivery event tells.
    pub(crate) fn abandon_message(&mut self, assoc: AssocId, stream: u32, unordered: bool) {
        self.fragments.abandon_message(assoc, stream, unordered);
    }

    /// Takes out what has come of the messages of an association.
    pub(crate) fn split_off(&mut self, assoc: AssocId) -> Reassembly {
        self.fragments.split_off(assoc)
    }

    /// Takes out all that has come.
    pub(crate) fn take(&mut self) -> Reassembly {
        take(&mut self.fragments)
    }

    /// Reads one piece after the other until a message is whole. `limits` are the user's; `many` is
    /// for how many messages there is use. Events that Erlang has no record for are left out.
    pub(crate) fn read<'a>(
        &mut self,
        kernel: &sctp::Socket,
        scratch: &'a mut Scratch,
        budget: &mut Budget,
        limits: Limits,
        many: usize,
    ) -> Read<'a> {
        loop {
            // Beside the meta data, which is large to be moved about.
            let mut place = Place::Scratch;
            match scratch.ahead.take() {
                Some(Ok((at, meta))) => {
                    place = Place::Ahead(at);
                    scratch.meta = meta;
                }
                Some(Err(error)) => return failed(budget, &error),
                // The rest of a notification is at hand, and would go to a socket that its
                // association is peeled off to.
                None if budget.is_spent() && self.notification.is_empty() => return Read::Spent,
                None if scratch.ahead.was_short() => return Read::Nothing,
                None => {
                    let many = budget.together(many, AHEAD_SIZE);
                    match self.read_piece(kernel, scratch, limits.buffer, many, &mut place) {
                        Ok(meta) => scratch.meta = meta,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            return Read::Nothing;
                        }
                        Err(error) => return failed(budget, &error),
                    }
                }
            }
            let len = scratch.meta.len;
            budget.spend(len);
            if scratch.meta.is_end_of_stream() {
                // A one-to-one socket whose peer has finished says so forever.
                self.exhausted = true;
                return Read::EndOfStream;
            }
            self.exhausted = false;
            if !scratch.meta.notification {
                self.received.add(len);
            }
            let (whole, from) = match place {
                Place::Binary(binary) => (self.join_binary(binary, scratch, limits.message), None),
                Place::Scratch => {
                    (self.join(&scratch.bytes[..len], &scratch.meta, limits.message), None)
                }
                Place::Ahead(at) => {
                    let piece = scratch.ahead.payload(at, len);
                    (self.join(piece, &scratch.meta, limits.message), Some(at))
                }
            };
            let as_read = |scratch: &'a Scratch| match from {
                Some(at) => scratch.ahead.payload(at, len),
                None => &scratch.bytes[..len],
            };
            let content = match whole {
                Joined::Partial => continue,
                Joined::TooLong(assoc) if ended(kernel, assoc) => continue,
                // It goes on without that message.
                Joined::TooLong(_) => return Read::Error(libc::EMSGSIZE),
                Joined::Event(None) => continue,
                Joined::Event(Some(event)) => Content::Event(event),
                Joined::InBinary(binary) => Content::Data(Payload::Binary(binary)),
                Joined::AsRead => Content::Data(Payload::Read(as_read(scratch))),
                Joined::PutTogether(whole, first) => {
                    scratch.meta.anc.info = first;
                    Content::Data(Payload::Kept(whole))
                }
            };
            return Read::Message(Message { meta: &scratch.meta, content });
        }
    }

    /// Adds a piece to what has come of its message, which may have `most` bytes.
    fn join(&mut self, piece: &[u8], meta: &Received, most: usize) -> Joined {
        let last = meta.end_of_record;
        if meta.notification {
            if last && self.notification.is_empty() {
                return Joined::Event(known(piece));
            }
            self.notification.extend_from_slice(piece);
            return match last {
                true => Joined::Event(known(&take(&mut self.notification))),
                false => Joined::Partial,
            };
        }
        if last && piece.len() <= most && self.fragments.is_empty() {
            self.expected = piece.len();
            return Joined::AsRead;
        }
        match self.fragments.add(meta.anc.info.as_ref(), piece, last, most) {
            Added::Whole(whole, first) => {
                self.expected = whole.len();
                Joined::PutTogether(whole, first)
            }
            Added::Partial => Joined::Partial,
            Added::TooLong(assoc) => Joined::TooLong(assoc),
        }
    }

    /// The same for a piece that was read to a binary and what did not fit to the scratch.
    fn join_binary(
        &mut self,
        mut binary: OwnedBinary,
        scratch: &mut Scratch,
        most: usize,
    ) -> Joined {
        let meta = &scratch.meta;
        let (expected, len) = (binary.len(), meta.len);
        let fits = len >= expected / 2 && len <= most;
        let usable = !meta.notification && meta.end_of_record && fits;
        if usable && (len == expected || binary.realloc(len)) {
            if let Some(rest) = len.checked_sub(expected) {
                binary.as_mut_slice()[expected..].copy_from_slice(&scratch.bytes[..rest]);
            }
            self.expected = len;
            return Joined::InBinary(binary);
        }
        // Back to where it would be without the binary.
        let bytes = &mut scratch.bytes;
        if len > expected {
            if bytes.len() < len {
                bytes.resize(len, 0);
            }
            bytes.copy_within(..len - expected, expected);
        }
        let head = len.min(expected);
        bytes[..head].copy_from_slice(&binary.as_slice()[..head]);
        scratch.spare = Some(binary);
        self.join(&scratch.bytes[..len], &scratch.meta, most)
    }

    /// Reads one piece to the scratch or another `place`; or `many`, of which this is the first,
    /// where small ones are to be expected. The first bytes of a large one go to a binary.
    fn read_piece(
        &self,
        kernel: &sctp::Socket,
        scratch: &mut Scratch,
        buffer: usize,
        many: usize,
        place: &mut Place,
    ) -> io::Result<Received> {
        let size = buffer.clamp(1, READ_MAX);
        let expected = self.expected.min(size);
        if many > 1 && expected < DIRECT_MIN && kernel.reads_ahead() {
            kernel.recv_ahead(&mut scratch.ahead, many)?;
            if let Some(first) = scratch.ahead.take() {
                let (at, meta) = first?;
                *place = Place::Ahead(at);
                return Ok(meta);
            }
        }
        if scratch.bytes.len() < size {
            scratch.bytes.resize(size, 0);
        }
        let direct =
            expected >= DIRECT_MIN && self.fragments.is_empty() && self.notification.is_empty();
        if !direct {
            return kernel.recv(&mut scratch.bytes[..size]);
        }
        let mut binary = scratch.binary(expected);
        let rest = &mut scratch.bytes[..size - expected];
        let mut bufs = [IoSliceMut::new(binary.as_mut_slice()), IoSliceMut::new(rest)];
        match kernel.recv_vectored(&mut bufs) {
            Ok(meta) => {
                *place = Place::Binary(binary);
                Ok(meta)
            }
            Err(error) => {
                scratch.spare = Some(binary);
                Err(error)
            }
        }
    }
}

/// The event that a notification is, if Erlang has a record for it.
fn known(notification: &[u8]) -> Option<Box<Notification>> {
    notification::parse(notification).filter(|found| event::class(found).is_some()).map(Box::new)
}

fn failed<'a>(budget: &mut Budget, error: &io::Error) -> Read<'a> {
    budget.spend(0);
    Read::Error(error.raw_os_error().unwrap_or(libc::EIO))
}

/// Ends an association whose peer does not keep to what is bearable; the owner hears of it by the
/// event. False on a one-to-one socket that was not peeled off, which can only be closed.
fn ended(kernel: &sctp::Socket, assoc: AssocId) -> bool {
    kernel.abort(assoc).is_ok() || !kernel.has_assoc(assoc)
}
