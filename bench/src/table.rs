//! Figures as Markdown tables that can be read as they are, too.

use std::fmt::{self, Write};

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use crate::figures::{Case, Run, is_ours};

/// What is said of each case, and how.
const METRICS: &[(&str, &str)] = &[
    ("us", ""),
    ("p99", " p99"),
    ("open", " open"),
    ("close", " close"),
    ("resident", " resident bytes"),
    ("memory", " Erlang bytes"),
    ("idle_cpu", " us CPU/s"),
    ("idle_without", " (no sockets)"),
];

/// From this share of idle time on, a case on one processor has waited for a timer.
const STALLED: f64 = 0.05;

/// All tables.
pub(crate) fn markdown(runs: &[Run]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    for run in runs {
        writeln!(text, "### {}, OTP {}: us\n", run.instrument, run.otp)?;
        let (rows, stalled) = times(run);
        text.push_str(&aligned(&rows));
        if stalled {
            text.push_str("\n`!n`: for n % of the time nobody had anything to do.\n");
        }
        let rows = work(run);
        if rows.len() > 1 {
            writeln!(
                text,
                "\n### {}, OTP {}: CPU time (us), context switches, system calls for each\n",
                run.instrument, run.otp
            )?;
            text.push_str(&aligned(&rows));
        }
        text.push('\n');
    }
    Ok(text)
}

fn times(run: &Run) -> (Vec<Vec<String>>, bool) {
    let implementations = run.implementations();
    let mut head = vec!["case".to_owned()];
    head.extend(implementations.iter().map(|name| (*name).to_owned()));
    for name in implementations.iter().filter(|name| is_ours(name)) {
        head.push(format!("{name}/bare"));
        head.push(format!("stock/{name}"));
    }
    let mut rows = vec![head];
    let mut stalled = false;
    for case in &run.cases {
        for (metric, label) in METRICS {
            if !case.implementations.values().any(|metrics| metrics.contains_key(*metric)) {
                continue;
            }
            let mut cells = vec![format!("{}{label}", case.name)];
            for name in &implementations {
                let mut cell = spread(case, name, metric);
                let idle = idle_share(case, name);
                if run.instrument == "counted" && *metric == "us" && idle > STALLED {
                    let _ = write!(cell, " !{:.0}", 100.0 * idle);
                    stalled = true;
                }
                cells.push(cell);
            }
            for name in implementations.iter().filter(|name| is_ours(name)) {
                cells.push(ratio(case, metric, name, "bare"));
                cells.push(ratio(case, metric, "stock", name));
            }
            rows.push(cells);
        }
    }
    (rows, stalled)
}

/// The median; with several rounds also the least and the most.
fn spread(case: &Case, implementation: &str, metric: &str) -> String {
    match case.get(implementation, metric) {
        None => "-".into(),
        Some(figure) if figure.rounds == 1 => format!("{:.1}", figure.median),
        Some(figure) => {
            format!("{:.1} ({:.0}-{:.0})", figure.median, figure.least, figure.most)
        }
    }
}

fn idle_share(case: &Case, implementation: &str) -> f64 {
    let elapsed = case.median(implementation, "mean").or_else(|| case.median(implementation, "us"));
    match (case.median(implementation, "idle"), elapsed) {
        (Some(idle), Some(elapsed)) => idle / elapsed,
        _ => 0.0,
    }
}

fn ratio(case: &Case, metric: &str, over: &str, under: &str) -> String {
    match (case.median(over, metric), case.median(under, metric)) {
        (Some(over), Some(under)) if under > 0.0 => format!("{:.2}", over / under),
        _ => "-".into(),
    }
}

fn work(run: &Run) -> Vec<Vec<String>> {
    let head = ["case", "", "CPU", "switches", "calls", "which"];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for case in &run.cases {
        for name in run.implementations() {
            let Some(metrics) = case.implementations.get(name) else { continue };
            let mut calls: Vec<(&str, f64)> = metrics
                .iter()
                .filter_map(|(name, figure)| Some((name.strip_prefix("sys_")?, figure.median)))
                .collect();
            calls.sort_by(|one, other| other.1.total_cmp(&one.1));
            if calls.is_empty() {
                continue;
            }
            let total: f64 = calls.iter().map(|(_, count)| count).sum();
            let number = |metric| {
                metrics.get(metric).map_or("-".into(), |figure| format!("{:.2}", figure.median))
            };
            // What is rare is a timer's, or the benchmark's own.
            let which: Vec<_> = calls
                .iter()
                .filter(|(_, count)| *count >= 0.03)
                .map(|(name, count)| format!("{name} {count:.2}"))
                .collect();
            rows.push(vec![
                case.name.clone(),
                name.to_owned(),
                number("cpu"),
                number("switches"),
                format!("{total:.2}"),
                which.join(", "),
            ]);
        }
    }
    rows
}

/// The first row is the head. Columns of figures are set to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let Some((head, rows)) = rows.split_first() else { return String::new() };
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(head).add_rows(rows);
    let numeric: Vec<bool> =
        (0..head.len()).map(|at| rows.iter().all(|row| is_figure(&row[at]))).collect();
    for (column, _) in table.column_iter_mut().zip(&numeric).filter(|(_, numeric)| **numeric) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    let mut lines: Vec<String> = table.lines().collect();
    lines[1] = with_alignment(&lines[1], &numeric);
    lines.join("\n") + "\n"
}

fn is_figure(cell: &str) -> bool {
    cell == "-" || cell.starts_with(|first: char| first.is_ascii_digit())
}

/// The line below the head, as Markdown has it: `---:` is a column that is set to the right. The crate
/// only draws dashes.
fn with_alignment(line: &str, right: &[bool]) -> String {
    let mut cells: Vec<String> = line.trim_matches('|').split('|').map(str::to_owned).collect();
    for (cell, _) in cells.iter_mut().zip(right).filter(|(_, right)| **right) {
        cell.pop();
        cell.push(':');
    }
    format!("|{}|", cells.join("|"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[&[&str]]) -> String {
        let rows = rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect());
        aligned(&rows.collect::<Vec<_>>())
    }

    #[test]
    fn tables_are_aligned() {
        let text = table(&[&["case", "us"], &["a:1:true", "1.5"], &["b", "10.5"]]);
        let expected = "| case     |   us |\n|----------|-----:|\n| a:1:true |  1.5 |\n\
                        | b        | 10.5 |\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn columns_of_figures_are_set_to_the_right() {
        let text = table(&[
            &["case", "", "us", "a", "which"],
            &["x", "nif", "1.5 (1-2)", "-", "read 2.00, write 1.00"],
            &["y", "stock", "-", "7", ""],
        ]);
        let expected = "\
| case |       |        us | a | which                 |
|------|-------|----------:|--:|-----------------------|
| x    | nif   | 1.5 (1-2) | - | read 2.00, write 1.00 |
| y    | stock |         - | 7 |                       |
";
        assert_eq!(text, expected);
    }

    #[test]
    fn long_tables_are_not_wrapped() {
        let long = "epoll_pwait 2.00, ".repeat(20);
        let text = table(&[&["case", "which"], &["x", &long]]);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert_eq!(table(&[&["case"]]), "| case |\n|-----:|\n");
        assert_eq!(aligned(&[]), "");
    }
}
