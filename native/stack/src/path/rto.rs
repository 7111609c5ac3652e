//! The retransmission timeout (RFC 9260, section 6.3.1).

use std::time::Duration;

use crate::params::RtoParams;

/// What was measured of a path's round trips, and the timeout that follows.
#[derive(Debug)]
pub(crate) struct Rto {
    params: RtoParams,
    measured: Option<Measured>,
    current: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Measured {
    /// SRTT.
    smoothed: Duration,
    /// RTTVAR.
    variation: Duration,
}

impl Rto {
    /// G of rule C7's neighbour: a variation of nothing would be no timeout at all.
    const GRANULARITY: Duration = Duration::from_micros(1);

    pub(crate) fn new(params: RtoParams) -> Rto {
        // C1.
        let current = bounded(params.initial, &params);
        Rto { params, measured: None, current }
    }

    /// The timeout with its backing off.
    pub(crate) fn current(&self) -> Duration {
        self.current
    }

    /// Zero if there was no measurement.
    pub(crate) fn smoothed(&self) -> Duration {
        self.measured.map_or(Duration::ZERO, |measured| measured.smoothed)
    }

    pub(crate) fn configure(&mut self, params: RtoParams) {
        let initial = self.measured.is_none() && params.initial != self.params.initial;
        self.params = params;
        let rto = if initial { params.initial } else { self.current };
        self.current = bounded(rto, &params);
    }

    /// C2 and C3, with RTO.Alpha 1/8 and RTO.Beta 1/4. Ends the backing off, too.
    pub(crate) fn measure(&mut self, round_trip: Duration) {
        // Longer than any timeout: a clock that jumped. It would take long to be forgotten.
        let round_trip = round_trip.min(self.params.max);
        let Measured { smoothed, variation } = match self.measured {
            None => Measured { smoothed: round_trip, variation: round_trip / 2 },
            Some(Measured { smoothed, variation }) => Measured {
                variation: variation * 3 / 4 + smoothed.abs_diff(round_trip) / 4,
                smoothed: smoothed * 7 / 8 + round_trip / 8,
            },
        };
        let variation = variation.max(Self::GRANULARITY);
        self.measured = Some(Measured { smoothed, variation });
        // C6, C7.
        self.current = bounded(smoothed + variation * 4, &self.params);
    }

    /// E2 of section 6.3.3.
    pub(crate) fn back_off(&mut self) {
        self.current = bounded(self.current.saturating_mul(2), &self.params);
    }
}

fn bounded(rto: Duration, params: &RtoParams) -> Duration {
    rto.max(params.min).min(params.max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn rto(initial: u64, min: u64, max: u64) -> Rto {
        Rto::new(RtoParams { initial: ms(initial), min: ms(min), max: ms(max) })
    }

    #[test]
    fn round_trips_make_the_timeout() {
        // (round trips in ms) -> smoothed, timeout, in us: rules C1 to C3
        for (trips, smoothed, timeout) in [
            (&[][..], 0, 3_000_000),
            (&[100], 100_000, 300_000),
            // RTTVAR 3/4 * 50, SRTT unchanged
            (&[100, 100], 100_000, 250_000),
            // RTTVAR 3/4 * 50 + 1/4 * 100 = 62.5, SRTT 7/8 * 100 + 1/8 * 200 = 112.5
            (&[100, 200], 112_500, 362_500),
        ] {
            let mut rto = rto(3000, 1, 60_000);
            trips.iter().for_each(|trip| rto.measure(ms(*trip)));
            assert_eq!(rto.smoothed(), Duration::from_micros(smoothed), "{trips:?}");
            assert_eq!(rto.current(), Duration::from_micros(timeout), "{trips:?}");
        }
    }

    #[test]
    fn the_timeout_has_bounds() {
        // (round trip, times backed off) -> timeout, with 1 s to 60 s: rules C6, C7 and E2
        for (trip, times, timeout) in
            [(10, 0, 1000), (10, 1, 2000), (10, 5, 32_000), (10, 6, 60_000), (90_000, 0, 60_000)]
        {
            let mut rto = rto(3000, 1000, 60_000);
            rto.measure(ms(trip));
            (0..times).for_each(|_| rto.back_off());
            assert_eq!(rto.current(), ms(timeout), "{trip} ms, {times} times");
        }
    }

    #[test]
    fn a_new_round_trip_ends_the_backing_off() {
        let mut rto = rto(1000, 1000, 60_000);
        rto.measure(ms(10));
        rto.back_off();
        rto.back_off();
        rto.measure(ms(10));
        assert_eq!(rto.current(), ms(1000));
    }

    #[test]
    fn a_round_trip_of_nothing_leaves_a_timeout() {
        let mut rto = rto(1000, 0, 60_000);
        (0..100).for_each(|_| rto.measure(Duration::ZERO));
        assert_eq!(rto.current(), Duration::from_micros(4));
    }

    #[test]
    fn other_parameters_count_at_once() {
        let mut rto = rto(1000, 500, 60_000);
        let params =
            |initial, min, max| RtoParams { initial: ms(initial), min: ms(min), max: ms(max) };
        rto.configure(params(2000, 500, 60_000));
        assert_eq!(rto.current(), ms(2000), "nothing was measured");
        rto.measure(ms(10));
        rto.configure(params(9000, 700, 60_000));
        assert_eq!(rto.current(), ms(700), "something was");
        rto.configure(params(100, 100, 200));
        assert_eq!(rto.current(), ms(200));
    }
}
