//! Where a message goes, and whether there is to be one.

/// What a pass over a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// To deliver what can be delivered.
    Deliver,
    /// To receive, for the caller.
    Receive,
    /// To learn the outcome of the caller's connect.
    Connect,
}

/// Who takes what comes to a socket now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taker {
    /// Nobody: it is passive, or its owner's mailbox is full.
    Nobody,
    /// The owner: it is active.
    Owner,
    /// A process that waits in recv.
    Receiver,
}

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Data, or an event that the owner wants.
    Message,
    /// An event that the owner does not want. The library has taken note of it.
    Unwanted,
    /// The event that somebody waits for in connect.
    Outcome {
        /// It is the caller's.
        own: bool,
    },
    /// An error of the socket.
    Error,
    /// There is no association to read from.
    NoAssociation,
    /// The association of a one-to-one socket has ended, which is to be told after all that came.
    EndOfStream {
        /// The owner knows.
        told: bool,
    },
}

/// Where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Nowhere.
    Drop,
    /// To the backlog, for whoever asks later.
    Backlog,
    /// To the caller: it is what the pass is for.
    Caller,
    /// To the process that waits in connect.
    Connector,
    /// To the process that waits in recv.
    Receiver,
    /// To the owner.
    Owner,
    /// Nowhere, and the pass is over: not worth telling anybody, nor waiting for.
    End,
}

/// Whether what comes is kept for later.
pub fn keeps(goal: Goal, taker: Taker) -> bool {
    goal != Goal::Receive && taker == Taker::Nobody
}

/// Where an item goes.
pub fn destination(item: Item, goal: Goal, taker: Taker) -> Destination {
    match (item, goal, taker) {
        (Item::Unwanted, _, _) => Destination::Drop,
        (Item::Outcome { own: true }, Goal::Connect, _) => Destination::Caller,
        (Item::Outcome { .. }, _, _) => Destination::Connector,
        (_, Goal::Receive, _) => Destination::Caller,
        (_, _, Taker::Receiver) => Destination::Receiver,
        (Item::NoAssociation | Item::EndOfStream { told: true }, _, _) => Destination::End,
        (Item::EndOfStream { .. }, _, Taker::Nobody) => Destination::End,
        (_, _, Taker::Owner) => Destination::Owner,
        (_, _, Taker::Nobody) => Destination::Backlog,
    }
}

/// Where the next item comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The backlog, whose items are older than what the kernel has.
    Backlog,
    /// The kernel.
    Kernel,
    /// Nowhere: there is no use for it.
    Dry,
    /// Nowhere: the budget is spent.
    Spent,
}

/// What is known before the next item is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before {
    /// What comes is kept.
    pub keeps: bool,
    /// There is room to keep it, and somebody for whose sake that is done.
    pub may_keep: bool,
    /// The budget is spent.
    pub spent: bool,
    /// Messages have been read already, together with one before.
    pub ahead: bool,
    /// Messages are kept.
    pub backlog: bool,
}

/// Where the next item comes from.
pub fn next(before: Before) -> Next {
    let Before { keeps, may_keep, spent, ahead, backlog } = before;
    if keeps {
        return if may_keep || ahead { Next::Kernel } else { Next::Dry };
    }
    if spent && !ahead {
        return Next::Spent;
    }
    if backlog { Next::Backlog } else { Next::Kernel }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Destination::{Backlog, Caller, Connector, Drop, End, Owner, Receiver};

    /// Every row: for each goal in turn, with nobody, the owner, and a receiver to take it.
    #[test]
    fn where_an_item_goes() {
        for (item, rows) in [
            (
                Item::Message,
                [
                    (Goal::Deliver, [Backlog, Owner, Receiver]),
                    (Goal::Receive, [Caller, Caller, Caller]),
                    (Goal::Connect, [Backlog, Owner, Receiver]),
                ],
            ),
            (
                Item::Unwanted,
                [
                    (Goal::Deliver, [Drop, Drop, Drop]),
                    (Goal::Receive, [Drop, Drop, Drop]),
                    (Goal::Connect, [Drop, Drop, Drop]),
                ],
            ),
            (
                Item::Outcome { own: true },
                [
                    (Goal::Deliver, [Connector, Connector, Connector]),
                    (Goal::Receive, [Connector, Connector, Connector]),
                    (Goal::Connect, [Caller, Caller, Caller]),
                ],
            ),
            (
                Item::Outcome { own: false },
                [
                    (Goal::Deliver, [Connector, Connector, Connector]),
                    (Goal::Receive, [Connector, Connector, Connector]),
                    (Goal::Connect, [Connector, Connector, Connector]),
                ],
            ),
            (
                Item::Error,
                [
                    (Goal::Deliver, [Backlog, Owner, Receiver]),
                    (Goal::Receive, [Caller, Caller, Caller]),
                    (Goal::Connect, [Backlog, Owner, Receiver]),
                ],
            ),
            (
                Item::NoAssociation,
                [
                    (Goal::Deliver, [End, End, Receiver]),
                    (Goal::Receive, [Caller, Caller, Caller]),
                    (Goal::Connect, [End, End, Receiver]),
                ],
            ),
            (
                Item::EndOfStream { told: false },
                [
                    (Goal::Deliver, [End, Owner, Receiver]),
                    (Goal::Receive, [Caller, Caller, Caller]),
                    (Goal::Connect, [End, Owner, Receiver]),
                ],
            ),
            (
                Item::EndOfStream { told: true },
                [
                    (Goal::Deliver, [End, End, Receiver]),
                    (Goal::Receive, [Caller, Caller, Caller]),
                    (Goal::Connect, [End, End, Receiver]),
                ],
            ),
        ] {
            for (goal, expected) in rows {
                let takers = [Taker::Nobody, Taker::Owner, Taker::Receiver];
                for (taker, expected) in takers.into_iter().zip(expected) {
                    let found = destination(item, goal, taker);
                    assert_eq!(found, expected, "{item:?} {goal:?} {taker:?}");
                }
            }
        }
    }

    #[test]
    fn what_is_kept() {
        for (goal, expected) in [
            (Goal::Deliver, [true, false, false]),
            (Goal::Receive, [false, false, false]),
            (Goal::Connect, [true, false, false]),
        ] {
            let takers = [Taker::Nobody, Taker::Owner, Taker::Receiver];
            for (taker, expected) in takers.into_iter().zip(expected) {
                assert_eq!(keeps(goal, taker), expected, "{goal:?} {taker:?}");
            }
        }
    }

    /// Every row: by the budget (there is some, spent), then by what has been read ahead (no, yes).
    #[test]
    fn where_the_next_item_comes_from() {
        let (kernel, dry, spent, kept) = (Next::Kernel, Next::Dry, Next::Spent, Next::Backlog);
        // (what comes is kept, may be kept, something is kept) -> rows
        for ((keeps, may_keep, backlog), rows) in [
            ((false, false, false), [[kernel, kernel], [spent, kernel]]),
            ((false, false, true), [[kept, kept], [spent, kept]]),
            ((false, true, false), [[kernel, kernel], [spent, kernel]]),
            ((false, true, true), [[kept, kept], [spent, kept]]),
            ((true, false, false), [[dry, kernel], [dry, kernel]]),
            ((true, false, true), [[dry, kernel], [dry, kernel]]),
            ((true, true, false), [[kernel, kernel], [kernel, kernel]]),
            ((true, true, true), [[kernel, kernel], [kernel, kernel]]),
        ] {
            for (spent, row) in [false, true].into_iter().zip(rows) {
                for (ahead, expected) in [false, true].into_iter().zip(row) {
                    let before = Before { keeps, may_keep, spent, ahead, backlog };
                    assert_eq!(next(before), expected, "{before:?}");
                }
            }
        }
    }
}
