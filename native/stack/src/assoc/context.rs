//! What all associations of a stack share.

use std::collections::VecDeque;

use crate::cookie::Secrets;
use crate::entropy::Entropy;
use crate::limiter::Limiter;
use crate::status::Counters;
use crate::types::{Time, Transmit, Tsn};

/// Packets that wait to be sent, when strangers are answered no more.
const OUTBOX_MAX: usize = 4096;

/// Time, random numbers and the way out.
pub(crate) struct Context {
    /// Of the call that is being worked on.
    pub(crate) now: Time,
    pub(crate) entropy: Box<dyn Entropy>,
    pub(crate) secrets: Secrets,
    pub(crate) counters: Counters,
    pub(crate) limiter: Limiter,
    /// Packets that wait for no congestion window: answers to strangers, and last words.
    pub(crate) outbox: VecDeque<Transmit>,
}

impl Context {
    pub(crate) fn new(mut entropy: Box<dyn Entropy>, answers_per_second: u32) -> Context {
        let now = Time::default();
        Context {
            now,
            secrets: Secrets::new(now, |bytes| entropy.fill(bytes)),
            entropy,
            counters: Counters::default(),
            limiter: Limiter::new(answers_per_second),
            outbox: VecDeque::new(),
        }
    }

    /// A stranger may be answered once more.
    pub(crate) fn may_answer(&mut self) -> bool {
        let allowed = self.outbox.len() < OUTBOX_MAX && self.limiter.allows(self.now);
        if !allowed {
            self.counters.unanswered += 1;
        }
        allowed
    }

    /// A verification tag: any but 0 (RFC 9260, section 5.3.1).
    pub(crate) fn new_tag(&mut self) -> u32 {
        loop {
            let tag = self.random() as u32;
            if tag != 0 {
                return tag;
            }
        }
    }

    /// A first TSN.
    pub(crate) fn new_tsn(&mut self) -> Tsn {
        Tsn(self.random() as u32)
    }

    /// A random number.
    pub(crate) fn random(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.entropy.fill(&mut bytes);
        u64::from_be_bytes(bytes)
    }
}
