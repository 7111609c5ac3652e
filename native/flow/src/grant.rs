//! What the bound on an owner's mailbox allows.
//!
//! Only Erlang code can see how long a mailbox is. So delivery is granted some messages at a time:
//! when a grant is spent, a process is asked for the next one, once. `Q` is that question.

/// What may be delivered now, and what was asked.
#[derive(Debug)]
pub struct Grant<Q> {
    most: u32,
    left: u32,
    /// Some while an answer is awaited.
    asked: Option<Q>,
}

impl<Q> Grant<Q> {
    /// For a bound of `most` messages. Nothing is granted yet.
    pub fn new(most: u32) -> Grant<Q> {
        Grant { most, left: 0, asked: None }
    }

    /// The bound.
    pub fn most(&self) -> u32 {
        self.most
    }

    /// Whether the owner has to read some of its messages first.
    pub fn is_spent(&self) -> bool {
        self.left == 0
    }

    /// The question that is not answered yet.
    pub fn asked(&self) -> Option<&Q> {
        self.asked.as_ref()
    }

    /// Accounts for a message to the owner.
    pub fn spend(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    /// Asks for the next grant if this one is spent and nobody has been asked. `question` makes the
    /// question, and what the grant keeps of it.
    pub fn ask<T>(&mut self, question: impl FnOnce() -> (Q, T)) -> Option<T> {
        if !self.is_spent() || self.asked.is_some() {
            return None;
        }
        let (kept, asked) = question();
        self.asked = Some(kept);
        Some(asked)
    }

    /// Takes an answer. No more than the bound is granted, and what was granted before is void.
    /// Gives the question back, if there was one.
    pub fn answer(&mut self, messages: u32) -> Option<Q> {
        self.left = messages.min(self.most);
        self.asked.take()
    }

    /// Nobody will answer any more: as much is granted as the bound allows. Better no bound than no
    /// messages.
    pub fn lift(&mut self) {
        self.answer(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_question_for_each_grant() {
        let mut grant = Grant::new(3);
        let mut questions = 0;
        let mut ask = |grant: &mut Grant<i32>| {
            grant.ask(|| {
                questions += 1;
                (questions, questions)
            })
        };
        assert!(grant.is_spent());
        assert_eq!(ask(&mut grant), Some(1));
        assert_eq!(ask(&mut grant), None, "an answer is awaited");
        assert_eq!(grant.answer(2), Some(1));
        assert_eq!(ask(&mut grant), None, "two may be delivered");
        grant.spend();
        assert_eq!(ask(&mut grant), None);
        grant.spend();
        assert_eq!(ask(&mut grant), Some(2));
        assert_eq!(grant.asked(), Some(&2));
    }

    #[test]
    fn a_grant_stays_within_the_bound() {
        for (most, answer, left) in [(3, 0, 0), (3, 2, 2), (3, 3, 3), (3, 4, 3), (1, u32::MAX, 1)] {
            let mut grant = Grant::<()>::new(most);
            grant.answer(answer);
            assert_eq!(grant.left, left, "{answer} of {most}");
            (0..=left).for_each(|_| grant.spend());
            assert!(grant.is_spent(), "and no less than nothing");
        }
    }

    #[test]
    fn what_nobody_answers_is_lifted() {
        let mut grant = Grant::new(5);
        grant.ask(|| ((), ()));
        grant.lift();
        assert_eq!((grant.left, grant.asked()), (5, None));
    }
}
