//! What a peer proposes in INIT or INIT ACK, and whether it can be taken (RFC 9260, sections 3.3.2,
//! 3.3.3 and 5.1.2).

use std::net::IpAddr;
use std::time::Duration;

use crate::types::Tsn;
use crate::wire::{Cause, Init, List, Parameter, Parameters, chunk_type, parameter_type};

/// An INIT or INIT ACK that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    pub(crate) tag: u32,
    pub(crate) window: u32,
    pub(crate) outbound: u16,
    pub(crate) inbound: u16,
    pub(crate) tsn: Tsn,
    /// INIT ACK: what is to be sent back.
    pub(crate) cookie: Vec<u8>,
    pub(crate) forward_tsn: bool,
    pub(crate) adaptation: Option<u32>,
    /// INIT: how much longer a cookie should live.
    pub(crate) preservative: Duration,
    /// What the peer lists besides the address from which the packet came; the first few.
    pub(crate) addresses: Vec<IpAddr>,
    /// Parameters that the peer is told we do not know, as they came (section 3.2.1).
    pub(crate) unrecognized: Vec<Vec<u8>>,
}

/// An INIT or INIT ACK that cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Nobody could be answered.
    Silent,
    /// To be answered by an ABORT with these causes.
    Abort(Vec<u8>),
}

/// A smaller window cannot carry a packet (section 3.3.2).
pub(crate) const WINDOW_MIN: u32 = 1500;

/// Addresses of a peer that are kept. More of them are not needed to know a peer that begins anew.
pub(crate) const ADDRESSES_MAX: usize = 16;

impl Offer {
    /// Of an INIT.
    pub(crate) fn of_init(init: &Init<'_>) -> Result<Offer, Refusal> {
        if init.tag == 0 {
            return Err(Refusal::Silent);
        }
        Offer::read(init)
    }

    /// Of an INIT ACK, which must have a cookie.
    pub(crate) fn of_init_ack(init: &Init<'_>) -> Result<Offer, Refusal> {
        if init.tag == 0 {
            return Err(abort(&Cause::InvalidMandatoryParameter));
        }
        let offer = Offer::read(init)?;
        if offer.cookie.is_empty() {
            let missing = parameter_type::STATE_COOKIE.to_be_bytes();
            return Err(abort(&Cause::MissingParameters(List::new(&missing))));
        }
        Ok(offer)
    }

    fn read(init: &Init<'_>) -> Result<Offer, Refusal> {
        if init.outbound == 0 || init.inbound == 0 || init.window < WINDOW_MIN {
            return Err(abort(&Cause::InvalidMandatoryParameter));
        }
        let mut offer = Offer {
            tag: init.tag,
            window: init.window,
            outbound: init.outbound,
            inbound: init.inbound,
            tsn: init.tsn,
            cookie: Vec::new(),
            forward_tsn: false,
            adaptation: None,
            preservative: Duration::ZERO,
            addresses: Vec::new(),
            unrecognized: Vec::new(),
        };
        offer.read_parameters(init.parameters)?;
        Ok(offer)
    }

    fn read_parameters(&mut self, parameters: Parameters<'_>) -> Result<(), Refusal> {
        for parameter in parameters.iter() {
            let Ok(parameter) = parameter else {
                return Err(abort(&Cause::ProtocolViolation(b"length of a parameter")));
            };
            match parameter {
                Parameter::Ipv4Address(address) => self.add_address(address.into()),
                Parameter::Ipv6Address(address) => self.add_address(address.to_canonical()),
                Parameter::StateCookie(cookie) => self.cookie = cookie.to_vec(),
                Parameter::CookiePreservative(by) => self.preservative = by,
                Parameter::ForwardTsnSupported => self.forward_tsn = true,
                Parameter::SupportedExtensions(types) => {
                    self.forward_tsn |= types.contains(&chunk_type::FORWARD_TSN);
                }
                Parameter::Adaptation(indication) => self.adaptation = Some(indication),
                Parameter::HostName(_) => {
                    let mut bytes = Vec::new();
                    parameter.write(&mut bytes);
                    return Err(abort(&Cause::UnresolvableAddress(&bytes)));
                }
                // No address but the packet's own is used, so of any type there is none.
                Parameter::SupportedAddressTypes(_) => {}
                // Not offered here, so it is not used (RFC 9260, section 1.7).
                Parameter::EcnCapable => {}
                // What our INIT had and the peer does not know.
                Parameter::Unrecognized(_) => {}
                Parameter::Unknown { .. } => {
                    let action = parameter.action();
                    if action.reports() {
                        let mut bytes = Vec::new();
                        parameter.write(&mut bytes);
                        self.unrecognized.push(bytes);
                    }
                    if action.stops() {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    fn add_address(&mut self, address: IpAddr) {
        if self.addresses.len() < ADDRESSES_MAX && !self.addresses.contains(&address) {
            self.addresses.push(address);
        }
    }
}

fn abort(cause: &Cause<'_>) -> Refusal {
    Refusal::Abort(cause.to_bytes())
}
