//! Chunks that wait for others: fragments of messages (RFC 9260, section 6.9), and whole messages that
//! came too early in their stream.
//!
//! Fragments of a message have TSNs in a row, so those that follow each other are put together as
//! they come, into runs. A run that begins at or before the cumulative TSN ends at it if it is not
//! whole: there is at most one such, the message that is being received. All others are after it.

use std::collections::{BTreeMap, VecDeque};

use super::tally::Tally;
use crate::types::{Ppid, Ssn, StreamId};
use crate::violation::Violation;
use crate::wire::Data;

/// Chunks of one message with TSNs in a row.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) stream: StreamId,
    /// Of no meaning if unordered.
    pub(super) ssn: Ssn,
    pub(super) unordered: bool,
    pub(super) ppid: Ppid,
    /// Its first chunk begins the message.
    pub(super) beginning: bool,
    /// Its last chunk ends it.
    pub(super) end: bool,
    /// It grows at both ends.
    pub(super) bytes: VecDeque<u8>,
    chunks: u64,
    first_len: u16,
    /// The lengths of the chunks after the first, where they may still be dropped.
    lens: VecDeque<u16>,
}

impl Run {
    pub(super) fn new(data: &Data<'_>) -> Run {
        Run {
            stream: data.stream,
            ssn: data.ssn,
            unordered: data.unordered,
            ppid: data.ppid,
            beginning: data.beginning,
            end: data.end,
            bytes: data.payload.to_vec().into(),
            chunks: 1,
            first_len: len_of(data),
            lens: VecDeque::new(),
        }
    }

    pub(super) fn is_whole(&self) -> bool {
        self.beginning && self.end
    }

    /// The place after its last chunk, for the one at which it starts.
    pub(super) fn end_of(&self, start: u64) -> u64 {
        start + self.chunks
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::of(self.bytes.len());
        tally.charge += 2 * self.lens.len();
        tally
    }

    /// All fragments say the same (3.3.1), but for what has no meaning.
    fn is_of_message(&self, data: &Data<'_>) -> bool {
        self.stream == data.stream
            && self.unordered == data.unordered
            && (self.unordered || self.ssn == data.ssn)
            && self.ppid == data.ppid
    }
}

/// A chunk is no longer than its length field says.
fn len_of(data: &Data<'_>) -> u16 {
    u16::try_from(data.payload.len()).unwrap_or(u16::MAX)
}

/// All runs, by the places of their first chunks.
#[derive(Debug, Default)]
pub(super) struct Reassembly {
    runs: BTreeMap<u64, Run>,
    tally: Tally,
}

impl Reassembly {
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(super) fn get(&self, start: u64) -> Option<&Run> {
        self.runs.get(&start)
    }

    /// Takes a run out.
    pub(super) fn take(&mut self, start: u64) -> Option<Run> {
        let run = self.runs.remove(&start)?;
        self.tally -= run.tally();
        Some(run)
    }

    /// Takes the bytes of a run that is not whole; more may be added to it.
    pub(super) fn take_bytes(&mut self, start: u64) -> Vec<u8> {
        let Some(run) = self.runs.get_mut(&start) else {
            return Vec::new();
        };
        self.tally -= run.tally();
        let bytes = std::mem::take(&mut run.bytes);
        run.lens = VecDeque::new();
        self.tally += run.tally();
        bytes.into()
    }

    /// The last run that starts before `place`.
    pub(super) fn before(&self, place: u64) -> Option<(u64, &Run)> {
        self.runs.range(..place).next_back().map(|(start, run)| (*start, run))
    }

    /// The first run that starts at `place` or after it.
    pub(super) fn from(&self, place: u64) -> Option<(u64, &Run)> {
        self.runs.range(place..).next().map(|(start, run)| (*start, run))
    }

    /// Adds a chunk, and puts it together with those beside it. Returns where its run starts.
    /// `settled`: all before this place have come and cannot be dropped.
    pub(super) fn insert(
        &mut self,
        place: u64,
        data: &Data<'_>,
        settled: u64,
    ) -> Result<u64, Violation> {
        let right = self.runs.get(&(place + 1));
        if let Some(right) = right {
            if data.end != right.beginning {
                return Err(Violation("begins a message within another"));
            }
            if !data.end && !right.is_of_message(data) {
                return Err(Violation("changes within a message"));
            }
        }
        let joins_right = right.is_some() && !data.end;
        let mut start = place;
        if let Some((before, left)) = self.before(place)
            && left.end_of(before) == place
        {
            if left.end != data.beginning {
                return Err(Violation("begins a message within another"));
            }
            if !left.end {
                if !left.is_of_message(data) {
                    return Err(Violation("changes within a message"));
                }
                start = before;
            }
        }
        let right = if joins_right { self.take(place + 1) } else { None };
        // What begins with a settled place is settled itself.
        let keep = start > settled;
        let left = if start < place { self.take(start) } else { None };
        let mut run = match left {
            Some(left) => left.with(data, keep),
            None => Run::new(data),
        };
        if let Some(right) = right {
            run = run.join(right, keep);
        }
        self.tally += run.tally();
        self.runs.insert(start, run);
        Ok(start)
    }

    /// Drops the chunk at the highest place, if that is after `place` (6.2).
    pub(super) fn drop_last(&mut self, place: u64) -> Option<Dropped> {
        let mut last = self.runs.last_entry()?;
        let start = *last.key();
        let run = last.get_mut();
        let dropped = run.end_of(start) - 1;
        if start <= place {
            return None;
        }
        let whole = run.is_whole().then_some((run.stream, run.ssn)).filter(|_| !run.unordered);
        self.tally -= run.tally();
        match run.lens.pop_back() {
            Some(len) => {
                run.bytes.truncate(run.bytes.len().saturating_sub(usize::from(len)));
                run.chunks -= 1;
                run.end = false;
                self.tally += run.tally();
            }
            None => {
                last.remove();
            }
        }
        Some(Dropped { place: dropped, whole })
    }
}

impl Run {
    /// With the chunk that follows it. `keep`: chunks may still be dropped.
    fn with(mut self, data: &Data<'_>, keep: bool) -> Run {
        self.bytes.extend(data.payload);
        self.end = data.end;
        self.chunks += 1;
        if keep {
            self.lens.push_back(len_of(data));
        }
        self
    }

    /// With the run that follows it.
    fn join(mut self, mut right: Run, keep: bool) -> Run {
        right.lens.push_front(right.first_len);
        self.bytes = joined(self.bytes, right.bytes);
        self.lens = if keep { joined(self.lens, right.lens) } else { VecDeque::new() };
        self.end = right.end;
        self.chunks += right.chunks;
        self
    }
}

/// The shorter one is copied. So no order in which fragments come makes us copy the same bytes for
/// each of them.
fn joined<T>(mut left: VecDeque<T>, mut right: VecDeque<T>) -> VecDeque<T> {
    if left.len() < right.len() {
        while let Some(last) = left.pop_back() {
            right.push_front(last);
        }
        return right;
    }
    left.append(&mut right);
    left
}

/// A chunk that was dropped.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) place: u64,
    /// The ordered message that was whole until now, if it was.
    pub(super) whole: Option<(StreamId, Ssn)>,
}
