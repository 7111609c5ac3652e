//! Worlds made of seeds: hosts, a bad network, users who do as they like. `STACK_SEEDS=a..b` chooses the
//! seeds; `STACK_TRACE=full` shows all that happens with each, `STACK_BACKTRACE=1` from where a fault was seen.

mod packet;
mod sim;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use sim::{Keep, Outcome, UserCounts, WireCounts};

const SEEDS: std::ops::Range<u64> = 0..2_000;

/// Of so many seeds one is run twice.
const TWICE: u64 = 20;

/// What all seeds together met.
#[derive(Debug, Default)]
struct Met {
    seeds: u64,
    strict: u64,
    users: UserCounts,
    wire: WireCounts,
}

fn seeds() -> std::ops::Range<u64> {
    let Ok(text) = std::env::var("STACK_SEEDS") else { return SEEDS };
    let parsed = text
        .split_once("..")
        .and_then(|(from, till)| Some(from.trim().parse().ok()?..till.trim().parse().ok()?));
    parsed.unwrap_or_else(|| panic!("STACK_SEEDS={text} is not of the form 0..2000"))
}

fn again(seed: u64) -> String {
    format!("STACK_SEEDS={seed}..{} cargo test -p stack --test simulation", seed + 1)
}

/// A fault, with how to see it again and what led to it.
fn report(seed: u64, outcome: &Outcome, lines: usize) -> String {
    let fault = outcome.fault.as_deref().unwrap_or("none");
    let mut text = format!("seed {seed}: {fault}\n  {}\n", again(seed));
    if lines > 0 {
        let with_trace = sim::run(seed, Keep::Last(lines));
        if with_trace.fault != outcome.fault {
            text += &format!("  another fault when it ran again: {:?}\n", with_trace.fault);
        }
        for line in with_trace.lines {
            text += &format!("    {line}\n");
        }
    }
    text
}

/// Runs seeds on all processors. Returns what they met and the faults, lowest seed first.
fn run_all(seeds: std::ops::Range<u64>, keep: Keep) -> (Met, Vec<(u64, Outcome)>) {
    let next = AtomicU64::new(seeds.start);
    let met = Mutex::new(Met::default());
    let faults = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let mut outcome = sim::run(seed, keep);
                    if seed.is_multiple_of(TWICE) && keep == Keep::Hash {
                        let second = sim::run(seed, keep);
                        if outcome.hash != second.hash {
                            outcome.fault.get_or_insert("a second run is another".into());
                        }
                    }
                    met.lock().unwrap().add(&outcome);
                    if let Some(fault) = &outcome.fault {
                        // With --nocapture a long run shows it at once.
                        println!("seed {seed}: {fault}");
                        faults.lock().unwrap().push((seed, outcome));
                    }
                }
            });
        }
    });
    let mut faults = faults.into_inner().unwrap();
    faults.sort_by_key(|(seed, _)| *seed);
    (met.into_inner().unwrap(), faults)
}

/// Adds up all counts of two.
macro_rules! add_up {
    ($to:expr, $from:expr, $($field:ident)*) => { $($to.$field += $from.$field;)* };
}

impl Met {
    fn add(&mut self, outcome: &Outcome) {
        self.seeds += 1;
        self.strict += u64::from(outcome.strict);
        add_up!(self.users, outcome.users, messages bytes received in_parts failed expired up restarts
            lost never_up graceful aborted_parts path_changes remote_errors twice);
        add_up!(self.wire, outcome.wire, packets data data_again fragments bundles gaps closed_windows
            forward heartbeats aborts errors);
    }
}

#[test]
fn every_seed_keeps_the_promises() {
    let full = std::env::var("STACK_TRACE").is_ok_and(|value| value == "full");
    let keep = if full { Keep::All } else { Keep::Hash };
    sim::keep_panics();
    let (met, faults) = run_all(seeds(), keep);
    println!("{met:#?}");
    for (index, (seed, outcome)) in faults.iter().take(20).enumerate() {
        println!("{}", report(*seed, outcome, if index == 0 && !full { 60 } else { 0 }));
    }
    let _ = std::panic::take_hook();
    if faults.is_empty() {
        return;
    }
    panic!("{} of {} seeds are at fault", faults.len(), met.seeds);
}
