//! The socket options, as data: to add one is to add one entry to [`OPTIONS`].
//!
//! A record option is described field by field, in the order of its record in Erlang's
//! `inet_sctp.hrl`, with the offset of each field in the kernel's struct. Whoever converts values
//! walks that description; this module has no notion of a term.

mod spec;
mod table;

pub use spec::{
    Access, DEVICE_NAME_MAX, DefaultValue, Effect, Field, GetRole, Kind, OptionSpec, Record,
    SetRole, Shape, assoc_value, linger,
};
pub use table::{
    ASSOC_VALUE, ASSOCPARAMS, EVENT_SUBSCRIBE, INITMSG, OPTIONS, PADDRINFO, PADDRPARAMS, PRIM,
    PRIORITY, RTOINFO, SETADAPTATION, SETPEERPRIM, SNDRCVINFO, STATUS,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// Every record, those within records included.
    fn records() -> Vec<&'static Record> {
        fn add(record: &'static Record, found: &mut Vec<&'static Record>) {
            found.push(record);
            for field in record.fields {
                if let Kind::Record(inner) = field.kind {
                    add(inner, found);
                }
            }
        }
        let mut found = Vec::new();
        for option in OPTIONS {
            if let Shape::Record(record) = option.shape {
                add(record, &mut found);
            }
        }
        found
    }

    #[test]
    fn names_are_distinct() {
        for option in OPTIONS {
            let same = OPTIONS.iter().filter(|other| other.name == option.name).count();
            assert_eq!(same, 1, "{}", option.name);
        }
        assert_eq!(OPTIONS.len(), 33);
    }

    #[test]
    fn fields_lie_apart_within_the_struct() {
        for record in records() {
            let mut used = vec![false; record.size];
            for field in record.fields {
                let place = field.offset..field.offset + field.kind.width();
                assert!(place.end <= record.size, "{}.{}", record.tag, field.name);
                for byte in &mut used[place] {
                    assert!(!*byte, "{}.{} overlaps", record.tag, field.name);
                    *byte = true;
                }
            }
        }
        assert!(records().len() == 13);
    }

    #[test]
    fn flags_fit_and_do_not_share_bits() {
        let mut seen = 0;
        for record in records() {
            for field in record.fields {
                if let Kind::Flags { bits, width } = field.kind {
                    let sum: u64 = bits.iter().map(|(_, bit)| u64::from(*bit)).sum();
                    let all = bits.iter().fold(0, |all, (_, bit)| all | u64::from(*bit));
                    assert_eq!(sum, all, "{}.{}", record.tag, field.name);
                    assert!(all < 1 << (8 * width), "{}.{}", record.tag, field.name);
                    assert_eq!(field.default, DefaultValue::EmptyFlags);
                    seen += 1;
                }
            }
        }
        assert!(seen >= 2);
    }

    #[test]
    fn what_cannot_be_set_is_not_settable() {
        for option in OPTIONS {
            let Shape::Record(record) = option.shape else {
                continue;
            };
            for field in record.fields {
                if matches!(field.kind, Kind::State(_) | Kind::Record(_)) {
                    assert_eq!(option.access, Access::ReadOnly, "{}", option.name);
                    assert_eq!(field.set_role, SetRole::MustBeUndefined, "{}", field.name);
                    assert_eq!(field.get_role, GetRole::MustBeUndefined, "{}", field.name);
                }
            }
        }
    }
}
