//! What a socket's readiness is waited for, and when that is worth a call.
//!
//! What nobody wants any more stays waited for until it shows up unasked: a busy socket is wanted
//! again before that, and both ways are system calls.

/// What to wait for. Errors and hang-ups are always reported, unless one-shot has disarmed the
/// source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interest {
    /// Something to receive, a peer's shutdown included.
    pub readable: bool,
    /// Room to send.
    pub writable: bool,
    /// Report once, then stay silent until modified. Else report as long as it holds.
    pub oneshot: bool,
    /// Report what holds when something happens, once for each time, and when modified.
    pub edge: bool,
}

impl Interest {
    /// Nothing but errors and hang-ups.
    pub const NONE: Self = Self { readable: false, writable: false, oneshot: false, edge: false };
    /// Something to receive.
    pub const READ: Self = Self { readable: true, ..Self::NONE };

    /// The same, once.
    pub const fn oneshot(self) -> Self {
        Self { oneshot: true, ..self }
    }

    /// Whether nobody waits for anything.
    pub fn is_idle(self) -> bool {
        !self.readable && !self.writable
    }
}

/// What processes wait for at a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// Somebody takes what is received.
    pub read: bool,
    /// Somebody waits for room to send.
    pub write: bool,
    /// Reading says the same at once until something happens: the end of the stream, no association.
    pub exhausted: bool,
}

/// What is worth waiting for, and how.
pub fn wanted(need: Need) -> Interest {
    let level = Interest { readable: need.read, writable: need.write, ..Interest::NONE };
    if need.read && need.exhausted {
        return Interest { edge: true, ..level };
    }
    if need.write && !need.read {
        // The kernel wakes nobody for the room that an association leaves when it dies. But it tells
        // of the death, and at that moment the room shows.
        return Interest { readable: true, edge: true, ..level };
    }
    level
}

/// What is to be done about what is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Stay,
    /// Wait for this.
    Wait(Interest),
    /// Wait for nothing.
    Sleep,
}

/// After a change of what is wanted, while `registered` is waited for.
pub fn armed(registered: Interest, wanted: Interest) -> Change {
    let covers = |registered: Interest| {
        (registered.readable || !wanted.readable)
            && (registered.writable || !wanted.writable)
            && !registered.edge
    };
    if wanted.is_idle() || covers(registered) || wanted == registered {
        return Change::Stay;
    }
    Change::Wait(wanted)
}

/// After somebody has come to wait for what may have been announced already: an edge is asked for
/// again.
pub fn asked_again(registered: Interest, wanted: Interest) -> Change {
    if wanted.edge { Change::Wait(wanted) } else { armed(registered, wanted) }
}

/// Whether all that an event reports is wanted. An error is, if anything is.
pub fn covers(wanted: Interest, readable: bool, writable: bool) -> bool {
    !wanted.is_idle() && (wanted.readable || !readable) && (wanted.writable || !writable)
}

/// After an event that said `writable` or not, and that was wholly wanted when it came or not.
pub fn after_event(
    registered: Interest,
    wanted: Interest,
    writable: bool,
    was_wanted: bool,
) -> Change {
    if registered.edge {
        // An edge stays: it is silent until something happens. But it does not repeat what is still
        // so: for the next in line it is asked for again.
        return match wanted.edge && wanted.writable && writable {
            true => Change::Wait(wanted),
            false => Change::Stay,
        };
    }
    match was_wanted {
        _ if wanted.edge => Change::Wait(wanted),
        true => Change::Stay,
        false if !wanted.is_idle() => Change::Wait(wanted),
        false if registered == Interest::NONE => Change::Stay,
        false => Change::Sleep,
    }
}

/// The same, and then [`armed`].
pub fn armed_after_event(
    registered: Interest,
    wanted: Interest,
    writable: bool,
    was_wanted: bool,
) -> Change {
    match after_event(registered, wanted, writable, was_wanted) {
        Change::Stay => armed(registered, wanted),
        // What is waited for then is what is wanted.
        change => change,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Change::{Sleep, Stay, Wait};

    const NONE: Interest = Interest::NONE;
    const R: Interest = Interest::READ;
    const W: Interest = Interest { writable: true, ..NONE };
    const RW: Interest = Interest { writable: true, ..R };
    const R_EDGE: Interest = Interest { edge: true, ..R };
    const RW_EDGE: Interest = Interest { edge: true, ..RW };

    #[test]
    fn what_is_wanted() {
        // (read, write, exhausted) -> wanted
        for ((read, write, exhausted), expected) in [
            ((false, false, false), NONE),
            ((false, false, true), NONE),
            ((true, false, false), R),
            ((true, false, true), R_EDGE),
            ((true, true, false), RW),
            ((true, true, true), RW_EDGE),
            ((false, true, false), RW_EDGE),
            ((false, true, true), RW_EDGE),
        ] {
            let need = Need { read, write, exhausted };
            assert_eq!(wanted(need), expected, "{need:?}");
        }
    }

    /// All that can be registered, and wanted.
    const ALL: [Interest; 5] = [NONE, R, RW, R_EDGE, RW_EDGE];

    #[test]
    fn after_a_change_of_what_is_wanted() {
        // registered -> what becomes of it, for each of ALL wanted
        for (registered, expected) in [
            (NONE, [Stay, Wait(R), Wait(RW), Wait(R_EDGE), Wait(RW_EDGE)]),
            (R, [Stay, Stay, Wait(RW), Stay, Wait(RW_EDGE)]),
            (RW, [Stay, Stay, Stay, Stay, Stay]),
            (R_EDGE, [Stay, Wait(R), Wait(RW), Stay, Wait(RW_EDGE)]),
            (RW_EDGE, [Stay, Wait(R), Wait(RW), Wait(R_EDGE), Stay]),
        ] {
            for (wanted, expected) in ALL.into_iter().zip(expected) {
                assert_eq!(armed(registered, wanted), expected, "{registered:?} {wanted:?}");
                let again = if wanted.edge { Wait(wanted) } else { expected };
                assert_eq!(asked_again(registered, wanted), again, "{registered:?} {wanted:?}");
            }
        }
    }

    #[test]
    fn what_covers_an_event() {
        // wanted -> whether it covers an error alone, readable, writable, both
        for (wanted, expected) in [
            (NONE, [false, false, false, false]),
            (R, [true, true, false, false]),
            (W, [true, false, true, false]),
            (RW, [true, true, true, true]),
            (R_EDGE, [true, true, false, false]),
            (RW_EDGE, [true, true, true, true]),
        ] {
            let events = [(false, false), (true, false), (false, true), (true, true)];
            for ((readable, writable), expected) in events.into_iter().zip(expected) {
                assert_eq!(covers(wanted, readable, writable), expected, "{wanted:?}");
            }
        }
    }

    #[test]
    fn after_an_event() {
        // registered, writable, was wanted -> what becomes of it, for each of ALL wanted
        for ((registered, writable, was_wanted), expected) in [
            ((NONE, false, false), [Stay, Wait(R), Wait(RW), Wait(R_EDGE), Wait(RW_EDGE)]),
            ((NONE, false, true), [Stay, Stay, Stay, Wait(R_EDGE), Wait(RW_EDGE)]),
            ((R, false, true), [Stay, Stay, Stay, Wait(R_EDGE), Wait(RW_EDGE)]),
            ((R, false, false), [Sleep, Wait(R), Wait(RW), Wait(R_EDGE), Wait(RW_EDGE)]),
            ((RW, true, true), [Stay, Stay, Stay, Wait(R_EDGE), Wait(RW_EDGE)]),
            ((RW, true, false), [Sleep, Wait(R), Wait(RW), Wait(R_EDGE), Wait(RW_EDGE)]),
            ((R_EDGE, false, true), [Stay; 5]),
            ((R_EDGE, false, false), [Stay; 5]),
            ((RW_EDGE, false, true), [Stay; 5]),
            ((RW_EDGE, true, true), [Stay, Stay, Stay, Stay, Wait(RW_EDGE)]),
            ((RW_EDGE, true, false), [Stay, Stay, Stay, Stay, Wait(RW_EDGE)]),
        ] {
            for (wanted, expected) in ALL.into_iter().zip(expected) {
                assert_eq!(
                    after_event(registered, wanted, writable, was_wanted),
                    expected,
                    "{registered:?} {wanted:?} {writable} {was_wanted}"
                );
            }
        }
    }

    #[test]
    fn after_an_event_one_change_is_enough() {
        let says = [(false, false), (false, true), (true, false), (true, true)];
        for (registered, wanted) in ALL.into_iter().flat_map(|r| ALL.map(|w| (r, w))) {
            for (writable, was_wanted) in says {
                let first = after_event(registered, wanted, writable, was_wanted);
                let between = match first {
                    Stay => registered,
                    Wait(interest) => interest,
                    Sleep => NONE,
                };
                let then = armed(between, wanted);
                let both = armed_after_event(registered, wanted, writable, was_wanted);
                assert_eq!(both, if first == Stay { then } else { first });
                assert!(first == Stay || then == Stay, "{registered:?} {wanted:?}");
            }
        }
    }
}
