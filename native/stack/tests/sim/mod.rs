//! A world of hosts with stacks, made of a seed.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

mod content;
mod host;
mod ledger;
mod network;
mod reading;
mod scenario;
mod tap;
mod trace;
mod users;
mod world;

pub(crate) use ledger::Counts as UserCounts;
pub(crate) use tap::Counts as WireCounts;
pub(crate) use trace::Keep;
use world::World;

/// What became of a seed.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) hash: u64,
    /// Why it is wrong, if it is.
    pub(crate) fault: Option<String>,
    pub(crate) users: UserCounts,
    pub(crate) wire: WireCounts,
    /// The last of what happened.
    pub(crate) lines: Vec<String>,
    pub(crate) strict: bool,
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// From now on a panic in a world is kept instead of printed.
pub(crate) fn keep_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let text = info.payload_as_str().unwrap_or("a panic without words");
        let trace = if std::env::var_os("STACK_BACKTRACE").is_some() {
            format!("\n{}", std::backtrace::Backtrace::force_capture())
        } else {
            String::new()
        };
        let text = format!("{}: {text}{trace}", place.unwrap_or_default());
        PANIC.with(|panic| *panic.borrow_mut() = Some(text));
    }));
}

pub(crate) fn run(seed: u64, keep: Keep) -> Outcome {
    let mut world = World::new(seed, keep);
    let result = catch_unwind(AssertUnwindSafe(|| world.run()));
    let fault = result
        .err()
        .map(|_| PANIC.with(|panic| panic.borrow_mut().take()).unwrap_or_else(|| "a panic".into()));
    Outcome {
        hash: world.trace.hash(),
        fault,
        users: world.ledger.counts,
        wire: world.tap.counts,
        lines: world.trace.lines().cloned().collect(),
        strict: world.scenario.strict,
    }
}
