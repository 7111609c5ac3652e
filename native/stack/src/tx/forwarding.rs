//! When a FORWARD TSN goes out, and what it says (RFC 3758, section 3.5).

use super::ledger::Ledger;
use crate::forward::Forward;
use crate::path::Path;
use crate::types::{Time, Tsn};
use crate::wire::Skipped;

/// What the peer was told, and what it is to be told.
#[derive(Debug, Default)]
pub(super) struct Forwarding {
    wanted: bool,
    last: Option<Forwarded>,
}

/// The last FORWARD TSN.
#[derive(Clone, Copy, Debug)]
struct Forwarded {
    at: Time,
    on: usize,
    /// Up to where all was given up then, whether there was room to say so or not.
    advanced: Tsn,
}

impl Forwarding {
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted
    }

    /// More may have been given up: C2 and C3.
    pub(super) fn look(&mut self, ledger: &Ledger) {
        if let Some(advanced) = ledger.advanced_point() {
            self.wanted |= self.last.is_none_or(|last| advanced > last.advanced);
        }
    }

    /// After a SACK, with which the cumulative TSN has `advanced`, or not. One goes out again when
    /// the peer has gone ahead but not far enough, or when a round trip has passed since the last
    /// one: not with each SACK that was on its way by then (C3 would have it so).
    pub(super) fn after_sack(
        &mut self,
        now: Time,
        ledger: &Ledger,
        paths: &mut [Path],
        advanced: bool,
    ) {
        if ledger.advanced_point().is_none() {
            *self = Forwarding::default();
        } else if let Some(Forwarded { at, on, .. }) = self.last
            && let Some(path) = paths.get_mut(on)
        {
            self.wanted |= advanced || now - at >= path.srtt();
            // The last one may be lost, and nothing else on its way that T3-rtx would run for.
            path.start_t3(now);
        }
    }

    /// T3-rtx of `paths[on]` has expired: A5 and C5. False: it did not run for this.
    pub(super) fn timed_out(&mut self, on: usize) -> bool {
        let timed_out = self.last.is_some_and(|last| last.on == on);
        self.wanted |= timed_out;
        timed_out
    }

    /// One is sent to `paths[on]`, of at most `room` bytes with its header.
    pub(super) fn take(
        &mut self,
        now: Time,
        ledger: &Ledger,
        paths: &mut [Path],
        on: usize,
        room: usize,
    ) -> Option<(Tsn, Vec<Skipped>)> {
        let path = paths.get_mut(on).filter(|_| self.wanted)?;
        let advanced = ledger.advanced_point()?;
        let mut forward = Forward::new(ledger.chunks.cumulative(), room)?;
        let abandoned = ledger.chunks.abandoned_at_front();
        let all = (0..abandoned).all(|index| forward.add(ledger.ordered(index)));
        let (cumulative, skipped) = forward.finish();
        if !all && cumulative == ledger.chunks.cumulative() {
            return None;
        }
        *self = Forwarding { wanted: false, last: Some(Forwarded { at: now, on, advanced }) };
        path.start_t3(now);
        Some((cumulative, skipped))
    }
}
