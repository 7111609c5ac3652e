//! What a SACK says about each chunk (RFC 9260, sections 6.2.1, 6.7 and 7.2.4).

use super::outstanding::{Outstanding, State};
use super::queue::Queue;
use crate::path::Path;
use crate::types::{Time, Tsn};
use crate::violation::Violation;
use crate::wire::Gap;

/// Reports that a chunk is missing until it is sent again.
const MISSES: u8 = 3;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    /// An older one than the last: nothing was changed (6.2.1, D i).
    pub(super) old: bool,
    /// The cumulative TSN went ahead.
    pub(super) advanced: bool,
    /// Chunks were acknowledged that were not before.
    pub(super) news: bool,
    /// Bytes of the buffer that are free.
    pub(super) freed: usize,
    /// Chunks have been missing for the third time.
    pub(super) lost: bool,
}

/// Looks at the cumulative TSN and the gap ack blocks. None: it was a SHUTDOWN, which says nothing
/// about gaps. `recovering`: in fast recovery. Chunks that are lost are still to be marked.
pub(super) fn process<G>(
    now: Time,
    chunks: &mut Outstanding,
    queue: &mut Queue,
    paths: &mut [Path],
    cumulative: Tsn,
    gaps: Option<G>,
    recovering: bool,
) -> Result<Report, Violation>
where
    G: Iterator<Item = Gap> + Clone,
{
    if cumulative < chunks.cumulative() {
        return Ok(Report { old: true, ..Report::default() });
    }
    let ahead = cumulative.since(chunks.cumulative()) as usize;
    let left =
        chunks.len().checked_sub(ahead).ok_or(Violation("acknowledges what was not sent"))?;
    if let Some(gaps) = &gaps
        && gaps.clone().any(|gap| usize::from(gap.end) > left)
    {
        return Err(Violation("acknowledges what was not sent"));
    }
    let mut report = Report { advanced: ahead > 0, ..Report::default() };
    for _ in 0..ahead {
        let Some(chunk) = chunks.pop(now, paths) else {
            break;
        };
        report.news |= !matches!(chunk.state, State::GapAcked | State::Abandoned);
        let len = if chunk.state == State::Abandoned { 0 } else { usize::from(chunk.len) };
        report.freed += queue.acked(len, chunk.end);
    }
    if let Some(gaps) = gaps {
        let mut taken_back = Vec::new();
        let (highest_new, end) = acknowledge(now, chunks, paths, gaps, &mut taken_back);
        report.news |= highest_new > 0;
        // In fast recovery each SACK that goes ahead is one report about all that is missing, else
        // only those below the highest TSN newly acknowledged (HTNA).
        let below = if recovering && report.advanced { end } else { highest_new };
        report.lost = count_misses(chunks, below);
        // 6.2.1, D iii: one report, whatever else is missing.
        taken_back.iter().filter(|index| **index >= below).for_each(|index| {
            chunks.count_miss(*index);
        });
    }
    Ok(report)
}

/// Goes through the gap ack blocks. Returns the place after the highest chunk that is newly
/// acknowledged, 0 if none is; and the one after the highest block. `taken_back`: the places of those
/// that are no longer.
fn acknowledge(
    now: Time,
    chunks: &mut Outstanding,
    paths: &mut [Path],
    gaps: impl Iterator<Item = Gap>,
    taken_back: &mut Vec<usize>,
) -> (usize, usize) {
    let (mut next, mut highest_new, mut seen) = (0, 0, 0);
    for gap in gaps {
        // A block starts two after the cumulative TSN at least; the first chunk here is one after it,
        // and no block speaks of it: with all acknowledged so no timer would run any more. What is
        // out of order or overlaps was looked at: no block makes us look twice, whatever a peer sends.
        let (start, end) = (usize::from(gap.start).saturating_sub(1).max(1), usize::from(gap.end));
        if end <= next || end <= start {
            continue;
        }
        let start = start.max(next);
        (next..start).for_each(|index| missing(now, chunks, index, paths, taken_back));
        for index in start..end {
            let Some(chunk) = chunks.get(index) else {
                break;
            };
            if matches!(chunk.state, State::InFlight | State::Marked) {
                chunks.set(now, index, State::GapAcked, paths);
                highest_new = index + 1;
            }
            seen += usize::from(chunks.is_gap_acked(index));
        }
        next = end;
    }
    let end = next;
    // What was acknowledged before and is above all blocks now: the peer may have no room for more
    // blocks in its packet, or may have dropped it. Both say: not received for certain (6.2.1, D iii).
    let mut left = chunks.gap_acked() - seen;
    let mut next = end;
    while left > 0 && next < chunks.len() {
        left -= usize::from(chunks.is_gap_acked(next));
        missing(now, chunks, next, paths, taken_back);
        next += 1;
    }
    (highest_new, end)
}

/// A chunk that is not acknowledged by this SACK.
fn missing(
    now: Time,
    chunks: &mut Outstanding,
    index: usize,
    paths: &mut [Path],
    taken_back: &mut Vec<usize>,
) {
    let Some(chunk) = chunks.get(index) else {
        return;
    };
    let path = usize::from(chunk.path);
    match chunk.state {
        State::GapAcked => {
            chunks.set(now, index, State::InFlight, paths);
            taken_back.push(index);
        }
        State::InFlight => {}
        State::Marked | State::Abandoned => return,
    }
    if let Some(path) = paths.get_mut(path) {
        path.missing();
    }
}

/// Counts one miss for each chunk before `below` that is on its way. True: for one of them it was
/// the third.
fn count_misses(chunks: &mut Outstanding, below: usize) -> bool {
    let mut lost = false;
    for index in 0..below {
        chunks.count_miss(index);
        lost |= is_lost(chunks, index);
    }
    lost
}

/// Only what was sent once is sent again by fast retransmit (7.2.4, 5): of what was sent twice, the
/// misses may be those of the first time. It waits for T3-rtx.
fn is_lost(chunks: &Outstanding, index: usize) -> bool {
    chunks.get(index).is_some_and(|chunk| {
        chunk.state == State::InFlight && chunk.misses >= MISSES && chunk.transmissions == 1
    })
}

/// The places of the chunks that have been missing three times.
pub(super) fn lost(chunks: &Outstanding) -> Vec<usize> {
    (0..chunks.len()).filter(|index| is_lost(chunks, *index)).collect()
}
