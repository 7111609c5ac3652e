//! Which events the user wants of those that are always on in the kernel, because the library needs
//! them: the kernel's rules (RFC 6458 section 6.2.2), kept above it. `K` is the id of an association.

use std::collections::BTreeMap;

/// An event that is always on in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// An association came up, went away or restarted.
    Association,
    /// The rest of a message does not come.
    PartialDelivery,
}

/// Whose events a subscription is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Whose<K> {
    /// Those of associations to come; with the associations that there are.
    Future(Vec<K>),
    /// Those of these associations, all that there are.
    Current(Vec<K>),
    /// Those of all, now and to come.
    All,
    /// Those of one.
    One(K),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    association: bool,
    partial_delivery: bool,
}

impl Wanted {
    fn of(&mut self, event: Needed) -> &mut bool {
        match event {
            Needed::Association => &mut self.association,
            Needed::PartialDelivery => &mut self.partial_delivery,
        }
    }
}

/// What is wanted.
#[derive(Debug, Clone)]
pub struct Subscriptions<K> {
    endpoint: Wanted,
    /// Those of associations for which it may be something else.
    own: BTreeMap<K, Wanted>,
}

impl<K> Default for Subscriptions<K> {
    fn default() -> Self {
        let endpoint = Wanted { association: true, partial_delivery: true };
        Self { endpoint, own: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Subscriptions<K> {
    /// Is the event wanted of an association, or of the endpoint's that are to come?
    pub fn is_on(&self, event: Needed, assoc: K) -> bool {
        *self.wanted(assoc).of(event)
    }

    fn wanted(&self, assoc: K) -> Wanted {
        // For nearly all programs there is nothing to look up.
        if self.own.is_empty() {
            return self.endpoint;
        }
        self.own.get(&assoc).copied().unwrap_or(self.endpoint)
    }

    /// Sets both for all associations, as `sctp_events` does.
    pub fn set_all(&mut self, association: bool, partial_delivery: bool) {
        self.endpoint = Wanted { association, partial_delivery };
        self.own.clear();
    }

    /// Sets one.
    pub fn set(&mut self, event: Needed, whose: Whose<K>, on: bool) {
        match whose {
            Whose::Future(_) if *self.endpoint.of(event) == on => {}
            Whose::Future(present) => {
                // What there is keeps what it has, and what is not there any more is forgotten.
                self.own = present.into_iter().map(|assoc| (assoc, self.wanted(assoc))).collect();
                *self.endpoint.of(event) = on;
            }
            Whose::Current(present) => {
                let set = |assoc| {
                    let mut wanted = self.wanted(assoc);
                    *wanted.of(event) = on;
                    (assoc, wanted)
                };
                self.own = present.into_iter().map(set).collect();
            }
            Whose::All => {
                *self.endpoint.of(event) = on;
                for wanted in self.own.values_mut() {
                    *wanted.of(event) = on;
                }
            }
            Whose::One(assoc) => *self.own.entry(assoc).or_insert(self.endpoint).of(event) = on,
        }
    }

    /// The association has ended.
    pub fn forget(&mut self, assoc: K) {
        if !self.own.is_empty() {
            self.own.remove(&assoc);
        }
    }

    /// Those of a socket that an association is peeled off to.
    pub fn inherited(&self, assoc: K) -> Self {
        Self { endpoint: self.wanted(assoc), own: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: Needed = Needed::Association;

    fn on(subscriptions: &Subscriptions<i32>) -> [bool; 3] {
        [0, 3, 4].map(|assoc| subscriptions.is_on(EVENT, assoc))
    }

    fn present() -> Vec<i32> {
        vec![3]
    }

    /// Of the endpoint, of an association that there is, and of one that there is not.
    #[test]
    fn whose_events_are_set() {
        // whose -> (endpoint, there is, is not)
        for (whose, expected) in [
            (Whose::Future(present()), [false, true, false]),
            (Whose::Current(present()), [true, false, true]),
            (Whose::All, [false, false, false]),
            (Whose::One(3), [true, false, true]),
        ] {
            let mut subscriptions = Subscriptions::default();
            subscriptions.set(EVENT, whose, false);
            assert_eq!(on(&subscriptions), expected);
            // The other one is as before.
            assert!(subscriptions.is_on(Needed::PartialDelivery, 3));
        }
    }

    #[test]
    fn all_overrides_what_was_said_of_one() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.set(EVENT, Whose::One(3), false);
        subscriptions.set(EVENT, Whose::All, true);
        assert_eq!(on(&subscriptions), [true; 3]);
        subscriptions.set(EVENT, Whose::One(3), false);
        subscriptions.set_all(true, true);
        assert_eq!(on(&subscriptions), [true; 3]);
        subscriptions.set_all(false, true);
        assert_eq!(on(&subscriptions), [false; 3]);
    }

    #[test]
    fn an_end_and_a_new_socket() {
        let mut subscriptions = Subscriptions::default();
        subscriptions.set(EVENT, Whose::One(3), false);
        assert_eq!(on(&subscriptions.inherited(3)), [false; 3]);
        assert_eq!(on(&subscriptions.inherited(4)), [true; 3]);
        subscriptions.forget(3);
        assert_eq!(on(&subscriptions), [true; 3]);
    }
}
