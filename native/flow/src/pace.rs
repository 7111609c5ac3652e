//! Whether an I/O thread interrupts those it wakes.
//!
//! In a dialogue everybody waits for the message. In a stream, a thread that preempts a busy
//! scheduler for each message wakes and sleeps for each message; a thread that gives way until the
//! processor is free or its turn comes finds many. A thread that somebody has given another policy is
//! left alone.

/// What the messages of an active socket look like to the I/O thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Traffic {
    /// One after the other.
    Stream,
    /// In turns with messages that are sent.
    Dialogue,
}

/// What a thread has seen of late.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    streaming: u8,
    gives_way: bool,
    /// Somebody has given the thread another policy than it was left with.
    overruled: bool,
}

impl Pace {
    /// Messages of a stream before it is believed in.
    const BELIEVED: u8 = 32;

    /// Notes what came; `Some` if the thread is to change: to give way, or no longer to.
    pub fn note(&mut self, traffic: Traffic) -> Option<bool> {
        self.streaming = match traffic {
            Traffic::Stream => (self.streaming + 1).min(2 * Self::BELIEVED),
            Traffic::Dialogue => self.streaming / 2,
        };
        let give_way = self.streaming >= Self::BELIEVED;
        let changes = give_way != self.gives_way && !self.overruled;
        self.gives_way = give_way;
        changes.then_some(give_way)
    }

    /// The thread could not change: from now on it stays as it is.
    pub fn overrule(&mut self) {
        self.overruled = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Traffic::{Dialogue, Stream};

    /// What changes in the course of so many messages of each kind, one kind after the other.
    fn changes(course: &[(Traffic, usize)]) -> Vec<bool> {
        let mut pace = Pace::default();
        let each = course.iter().flat_map(|(traffic, n)| std::iter::repeat_n(*traffic, *n));
        each.filter_map(|traffic| pace.note(traffic)).collect()
    }

    #[test]
    fn a_stream_is_believed_in_after_a_while_and_a_dialogue_soon() {
        for (course, expected) in [
            (&[][..], &[][..]),
            (&[(Dialogue, 1000)], &[]),
            (&[(Stream, 31)], &[]),
            (&[(Stream, 32)], &[true]),
            (&[(Stream, 1000)], &[true]),
            (&[(Stream, 32), (Dialogue, 1)], &[true, false]),
            (&[(Stream, 1000), (Dialogue, 1)], &[true]),
            (&[(Stream, 1000), (Dialogue, 2)], &[true, false]),
            (&[(Stream, 1000), (Dialogue, 2), (Stream, 16)], &[true, false, true]),
            (&[(Stream, 20), (Dialogue, 1), (Stream, 21)], &[]),
            (&[(Stream, 20), (Dialogue, 1), (Stream, 22)], &[true]),
        ] {
            assert_eq!(changes(course), expected, "{course:?}");
        }
    }

    #[test]
    fn what_was_overruled_stays() {
        let mut pace = Pace::default();
        (0..31).for_each(|_| assert_eq!(pace.note(Stream), None));
        assert_eq!(pace.note(Stream), Some(true));
        pace.overrule();
        let course = [[Dialogue; 40], [Stream; 40]].concat();
        assert!(course.into_iter().all(|traffic| pace.note(traffic).is_none()));
    }
}
