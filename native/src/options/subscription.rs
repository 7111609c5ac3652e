//! `sctp_event`: one kind of event, of one association or several (`SCTP_EVENT`, kernel 5.0).
//!
//! Two kinds are always on in the kernel, which is asked all the same: it knows which associations there
//! are, and whether it has the option.

use flow::subscriptions::{Needed, Subscriptions, Whose};
use sctp::abi::{assoc, event, notification_type as ty};
use sctp::bytes::{put_u8, u8_at, u16_at, u32_at};
use sctp::option::OptionSpec;
use sctp::{AssocId, Style};

use crate::terms::error::Error;

/// What follows above the kernel.
pub(crate) struct Subscription {
    event: Needed,
    whose: Whose<AssocId>,
    on: bool,
}

impl Subscription {
    pub(crate) fn follow(self, subscriptions: &mut Subscriptions<AssocId>) {
        subscriptions.set(self.event, self.whose, self.on);
    }
}

/// Is there something to be done for each association that there is? For those to come, too: those
/// that there are keep what they have, which is noted.
pub(crate) fn is_of_many(bytes: &[u8]) -> bool {
    match u32_at(bytes, event::ASSOC_ID) {
        Some(assoc::FUTURE) => needed(bytes).is_some(),
        Some(assoc::CURRENT | assoc::ALL) => true,
        _ => false,
    }
}

/// Sets the kernel's subscription.
pub(crate) fn set(
    kernel: &sctp::Socket,
    style: Style,
    option: &OptionSpec,
    bytes: &mut [u8],
) -> Result<Option<Subscription>, Error> {
    let Some(needed) = needed(bytes) else {
        kernel.set_option(option, bytes)?;
        return Ok(None);
    };
    let on = u8_at(bytes, event::ON) != Some(0);
    put_u8(bytes, event::ON, 1);
    kernel.set_option(option, bytes)?;
    let whose = match (style, u32_at(bytes, event::ASSOC_ID).unwrap_or_default()) {
        // There is but one, whatever they call it.
        (Style::OneToOne, _) | (_, assoc::ALL) => Whose::All,
        (_, assoc::FUTURE) => Whose::Future(kernel.assoc_ids()?),
        (_, assoc::CURRENT) => Whose::Current(kernel.assoc_ids()?),
        (_, id) => Whose::One(AssocId::from_u32(id)),
    };
    Ok(Some(Subscription { event: needed, whose, on }))
}

/// What the user said, in the kernel's answer.
pub(crate) fn put(bytes: &mut [u8], style: Style, subscriptions: &Subscriptions<AssocId>) {
    let Some(needed) = needed(bytes) else { return };
    let assoc = match style {
        Style::OneToOne => AssocId::FUTURE,
        Style::OneToMany => AssocId::from_u32(u32_at(bytes, event::ASSOC_ID).unwrap_or_default()),
    };
    put_u8(bytes, event::ON, subscriptions.is_on(needed, assoc).into());
}

/// The kind of event, if it is always on.
fn needed(bytes: &[u8]) -> Option<Needed> {
    match u16_at(bytes, event::TYPE)? {
        ty::ASSOC_CHANGE => Some(Needed::Association),
        ty::PARTIAL_DELIVERY_EVENT => Some(Needed::PartialDelivery),
        _ => None,
    }
}
