//! What the machine has spent on a stretch of work: the Rust side of `sctp_bench_meter.erl`.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The state of all meters before the work.
pub(crate) struct Meter {
    processes: Vec<u32>,
    syscalls: BTreeMap<String, u64>,
    idle: f64,
    switches: u64,
    cpu: f64,
    start: Instant,
}

impl Meter {
    /// `processes`, which have one thread each, do the work.
    pub(crate) fn start(processes: Vec<u32>) -> Result<Meter> {
        Ok(Meter {
            idle: idle_time()?,
            switches: switches()?,
            syscalls: syscalls()?,
            cpu: cpu_time(&processes)?,
            start: Instant::now(),
            processes,
        })
    }

    /// What each of `units` has cost: elapsed time, CPU time of the processes, idle time of all
    /// processors (us), context switches of the machine and, if they are counted, its system calls.
    pub(crate) fn stop(self, units: u32) -> Result<Vec<(String, f64)>> {
        let elapsed = self.start.elapsed().as_secs_f64() * 1e6;
        let cpu = cpu_time(&self.processes)? - self.cpu;
        let syscalls = syscalls()?;
        let mut spent = vec![
            ("us".to_owned(), elapsed),
            ("cpu".to_owned(), cpu),
            ("idle".to_owned(), idle_time()? - self.idle),
            ("switches".to_owned(), (switches()? - self.switches) as f64),
        ];
        for (name, calls) in syscalls {
            let before = self.syscalls.get(&name).copied().unwrap_or(0);
            if calls > before {
                spent.push((format!("sys_{name}"), (calls - before) as f64));
            }
        }
        for (_, value) in &mut spent {
            *value /= f64::from(units);
        }
        Ok(spent)
    }
}

/// us, user and system.
fn cpu_time(processes: &[u32]) -> Result<f64> {
    let mut sum = 0.0;
    for process in processes {
        // The first number of sched-stats.rst: ns on the processor.
        let stat = fs::read_to_string(format!("/proc/{process}/schedstat"))?;
        sum += stat.split(' ').next().unwrap_or_default().parse::<f64>()? / 1000.0;
    }
    Ok(sum)
}

/// us, the sum of all processors'.
fn idle_time() -> Result<f64> {
    let uptime = fs::read_to_string("/proc/uptime")?;
    Ok(uptime.split_whitespace().nth(1).unwrap_or_default().parse::<f64>()? * 1e6)
}

fn switches() -> Result<u64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().find_map(|line| line.strip_prefix("ctxt ")).ok_or("no ctxt")?;
    Ok(line.trim().parse()?)
}

/// The histogram that `bench/guest` has the kernel keep, if it does.
fn syscalls() -> Result<BTreeMap<String, u64>> {
    let Some(file) = env::var_os("SCTP_BENCH_SYSCALLS") else { return Ok(BTreeMap::new()) };
    // { id: sys_sendmsg                   [ 46] } hitcount:       1234
    let mut calls = BTreeMap::new();
    for line in fs::read_to_string(file)?.lines() {
        let mut words = line.split_whitespace();
        let Some(name) = words.find_map(|word| word.strip_prefix("sys_")) else { continue };
        if let Some(count) = words.last() {
            calls.insert(name.to_owned(), count.parse()?);
        }
    }
    Ok(calls)
}
