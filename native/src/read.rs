//! Reading from the kernel, piece by piece, until a message is whole.

use std::io::{self, IoSliceMut};
use std::mem::take;

use flow::budget::Budget;
use rustler::OwnedBinary;
use sctp::Ahead;
use sctp::reassembly::Added;
use sctp::types::AssocId;

use crate::batch;
use crate::message::{Message, Payload};
use crate::socket::{Open, State};

/// The largest single read; a larger `buffer` is accepted and read in several.
const READ_MAX: usize = 1024 * 1024;

/// From this size on a message is read into the binary that Erlang gets: below, copying it costs
/// less than a binary made for a message that turns out smaller. And it does not share a binary
/// with others of a batch: who keeps one of those keeps all.
pub(crate) const DIRECT_MIN: usize = 1024;

/// The room of each message that is read together with others. Larger ones come in pieces, and the
/// next ones alone.
const AHEAD_SIZE: usize = DIRECT_MIN;

/// Where a thread reads to.
pub(crate) struct Scratch {
    /// Grown to the largest buffer asked for.
    bytes: Vec<u8>,
    /// A binary that was made for a message and not used.
    spare: Option<OwnedBinary>,
    /// Messages that were read together. None remain after a pumping.
    pub(crate) ahead: Ahead,
    /// What the kernel said with the last piece.
    meta: sctp::Received,
}

impl Scratch {
    pub(crate) const fn new() -> Scratch {
        Scratch {
            bytes: Vec::new(),
            spare: None,
            ahead: Ahead::new(batch::MOST, AHEAD_SIZE),
            meta: sctp::Received::NOTHING,
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
    Whole(Payload<'static>),
    /// It is whole by itself, and still where it was read to.
    AsRead,
    Partial,
    TooLong(AssocId),
}

impl State {
    /// Adds a piece to what has come of its message.
    fn join(&mut self, piece: &[u8], meta: &sctp::Received) -> Joined {
        let last = meta.end_of_record;
        if meta.notification {
            if last && self.notification.is_empty() {
                return Joined::AsRead;
            }
            self.notification.extend_from_slice(piece);
            if last {
                return Joined::Whole(Payload::Kept(take(&mut self.notification)));
            }
            return Joined::Partial;
        }
        if last && self.fragments.is_empty() {
            self.expected = piece.len();
            return Joined::AsRead;
        }
        match self.fragments.add(meta.anc.info.as_ref(), piece, last) {
            Added::Whole(whole) => {
                self.expected = whole.len();
                Joined::Whole(Payload::Kept(whole))
            }
            Added::Partial => Joined::Partial,
            Added::TooLong(assoc) => Joined::TooLong(assoc),
        }
    }

    /// The same for a piece that was read to a binary and what did not fit to the scratch.
    fn join_binary(&mut self, mut binary: OwnedBinary, scratch: &mut Scratch) -> Joined {
        let meta = &scratch.meta;
        let (expected, len) = (binary.len(), meta.len);
        let usable = !meta.notification && meta.end_of_record && len >= expected / 2;
        if usable && (len == expected || binary.realloc(len)) {
            if let Some(rest) = len.checked_sub(expected) {
                binary.as_mut_slice()[expected..].copy_from_slice(&scratch.bytes[..rest]);
            }
            self.expected = len;
            return Joined::Whole(Payload::Binary(binary));
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
        self.join(&scratch.bytes[..len], &scratch.meta)
    }
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
    /// The budget is spent.
    Spent,
    Error(i32),
}

fn failed<'a>(budget: &mut Budget, error: &io::Error) -> Read<'a> {
    budget.spend(0);
    Read::Error(error.raw_os_error().unwrap_or(libc::EIO))
}

impl Open<'_> {
    /// Reads one piece after the other until a message is whole. `many` is for how many messages
    /// there is use.
    pub(crate) fn read<'a>(
        &mut self,
        scratch: &'a mut Scratch,
        budget: &mut Budget,
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
                None if budget.is_spent() && self.state.notification.is_empty() => {
                    return Read::Spent;
                }
                None if scratch.ahead.was_short() => return Read::Nothing,
                None => {
                    match self.read_piece(scratch, budget.together(many, AHEAD_SIZE), &mut place) {
                        Ok(meta) => scratch.meta = meta,
                        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                            return Read::Nothing;
                        }
                        Err(error) => {
                            budget.spend(0);
                            return Read::Error(error.raw_os_error().unwrap_or(libc::EIO));
                        }
                    }
                }
            }
            let len = scratch.meta.len;
            budget.spend(len);
            if scratch.meta.is_end_of_stream() {
                // A one-to-one socket whose peer has finished says so for ever.
                self.state.exhausted = true;
                return Read::Nothing;
            }
            let state = &mut *self.state;
            state.exhausted = false;
            state.received.add(len);
            let (whole, from) = match place {
                Place::Binary(binary) => (state.join_binary(binary, scratch), None),
                Place::Scratch => (state.join(&scratch.bytes[..len], &scratch.meta), None),
                Place::Ahead(at) => {
                    (state.join(scratch.ahead.payload(at, len), &scratch.meta), Some(at))
                }
            };
            match whole {
                Joined::Whole(payload) => {
                    return Read::Message(Message { meta: &scratch.meta, payload });
                }
                Joined::AsRead => {
                    let bytes = match from {
                        Some(at) => scratch.ahead.payload(at, len),
                        None => &scratch.bytes[..len],
                    };
                    let payload = Payload::Read(bytes);
                    return Read::Message(Message { meta: &scratch.meta, payload });
                }
                Joined::Partial => {}
                Joined::TooLong(assoc) if self.abort(assoc) => {}
                // It goes on without that message.
                Joined::TooLong(_) => return Read::Error(libc::EMSGSIZE),
            }
        }
    }

    /// Ends an association whose peer does not keep to what is bearable; the owner hears of it by
    /// the event. False on a one-to-one socket that was not peeled off, which can only be closed.
    fn abort(&self, assoc: AssocId) -> bool {
        self.kernel().abort(assoc).is_ok() || !self.kernel().has_assoc(assoc)
    }

    /// Reads one piece to the scratch or another `place`; or `many`, of which this is the first,
    /// where small ones are to be expected. The first bytes of a large one go to a binary.
    fn read_piece(
        &self,
        scratch: &mut Scratch,
        many: usize,
        place: &mut Place,
    ) -> io::Result<sctp::Received> {
        let state = &*self.state;
        let size = state.user.buffer.clamp(1, READ_MAX);
        let expected = state.expected.min(size);
        let ahead = many > 1 && self.kernel().reads_ahead();
        if ahead && expected < DIRECT_MIN {
            self.kernel().recv_ahead(&mut scratch.ahead, many)?;
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
            expected >= DIRECT_MIN && state.fragments.is_empty() && state.notification.is_empty();
        if !direct {
            return self.kernel().recv(&mut scratch.bytes[..size]);
        }
        let mut binary = scratch.binary(expected);
        let rest = &mut scratch.bytes[..size - expected];
        let mut bufs = [IoSliceMut::new(binary.as_mut_slice()), IoSliceMut::new(rest)];
        match self.kernel().recv_vectored(&mut bufs) {
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
