//! Pictures: how many times the bare loop's time each case takes, and figures over time.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::figures::{Case, Run};

const WIDTH: u32 = 960;
const HEAD: u32 = 60;
const ROW: u32 = 34;
/// Room for the names of the cases.
const NAMES: i32 = 190;
/// Longer bars are cut off, with their figure at the end.
const MOST: f64 = 6.0;

/// The height of a panel over time.
const PANEL: u32 = 300;

const BARE: RGBColor = RGBColor(0x55, 0x55, 0x55);
const COLORS: [RGBColor; 4] = [
    RGBColor(0xe0, 0x7b, 0x39),
    RGBColor(0x2a, 0x6f, 0xbb),
    RGBColor(0x4c, 0x9f, 0x70),
    RGBColor(0x9b, 0x5d, 0xe5),
];

/// Draws a panel for each run, one below the other.
pub(crate) fn draw(runs: &[Run], file: &Path) -> Result<(), Box<dyn Error>> {
    let panels: Vec<(&Run, Vec<&Case>)> = runs
        .iter()
        .map(|run| (run, run.cases.iter().filter(|case| bare(case).is_some()).collect()))
        .filter(|(_, cases): &(_, Vec<_>)| !cases.is_empty())
        .collect();
    let height = |cases: &[&Case]| HEAD + ROW * u32::try_from(cases.len()).unwrap_or(1) + 40;
    let total = panels.iter().map(|(_, cases)| height(cases)).sum::<u32>().max(1);
    let root = SVGBackend::new(file, (WIDTH, total)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut rest = root.clone();
    for (run, cases) in panels {
        let (panel, below) = rest.split_vertically(height(&cases));
        draw_panel(&panel, run, &cases)?;
        rest = below;
    }
    root.present()?;
    Ok(())
}

fn bare(case: &Case) -> Option<f64> {
    case.median("bare", "us").filter(|time| *time > 0.0)
}

fn draw_panel(
    panel: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    run: &Run,
    cases: &[&Case],
) -> Result<(), Box<dyn Error>> {
    let names: Vec<&str> =
        run.implementations().into_iter().filter(|name| *name != "bare").collect();
    let title = format!("{}, OTP {}: time, bare loop = 1", run.instrument, run.otp);
    let rows = cases.len() as f64;
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 18))
        .margin(8)
        .set_label_area_size(LabelAreaPosition::Left, NAMES)
        .set_label_area_size(LabelAreaPosition::Bottom, 24)
        .build_cartesian_2d(0.0..MOST, rows..0.0)?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .y_labels(0)
        .x_label_formatter(&|x| format!("{x:.0}"))
        .draw()?;
    let area = chart.plotting_area();
    let thickness = 0.8 / names.len().max(1) as f64;
    for (row, case) in cases.iter().enumerate() {
        let top = row as f64 + 0.1;
        let label = ("sans-serif", 13).into_font().color(&BLACK);
        let (x, y) = area.map_coordinate(&(0.0, top + 0.4));
        // The label area is beside the plot: coordinates of the panel.
        let (left, above) = panel.get_base_pixel();
        panel.draw(&Text::new(
            case.name.clone(),
            (x - left - 8, y - above),
            label.pos(Pos::new(HPos::Right, VPos::Center)),
        ))?;
        for (at, name) in names.iter().enumerate() {
            let (Some(time), Some(bare)) = (case.median(name, "us"), bare(case)) else { continue };
            let ratio = time / bare;
            let y = top + at as f64 * thickness;
            let color = COLORS[at % COLORS.len()];
            area.draw(&Rectangle::new(
                [(0.0, y), (ratio.min(MOST), y + thickness)],
                color.filled(),
            ))?;
            let inside = ratio > MOST - 0.5;
            let text = ("sans-serif", 11).into_font().color(if inside { &WHITE } else { &BLACK });
            let position = if inside { HPos::Right } else { HPos::Left };
            area.draw(&Text::new(
                format!(" {ratio:.2} "),
                (ratio.min(MOST), y + thickness / 2.0),
                text.pos(Pos::new(position, VPos::Center)),
            ))?;
        }
    }
    area.draw(&PathElement::new(vec![(1.0, 0.0), (1.0, rows)], BARE.stroke_width(2)))?;
    draw_legend(panel, &names)
}

fn draw_legend(
    panel: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    names: &[&str],
) -> Result<(), Box<dyn Error>> {
    for (at, name) in names.iter().enumerate() {
        let x = 16 + 80 * i32::try_from(at)?;
        let color = COLORS[at % COLORS.len()];
        panel.draw(&Rectangle::new([(x, 12), (x + 12, 24)], color.filled()))?;
        let text = ("sans-serif", 13).into_font().color(&BLACK);
        panel.draw(&Text::new((*name).to_owned(), (x + 18, 12), text))?;
    }
    Ok(())
}

/// What a line over time shows.
pub(crate) struct Line {
    pub(crate) name: &'static str,
    /// Seconds and value.
    pub(crate) points: Vec<(f64, f64)>,
}

/// Draws panels of lines over time, one below the other.
pub(crate) fn draw_over_time(
    panels: &[(&str, Vec<Line>)],
    file: &Path,
) -> Result<(), Box<dyn Error>> {
    let height = PANEL * u32::try_from(panels.len())?.max(1);
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, (title, lines)) in root.split_evenly((panels.len().max(1), 1)).iter().zip(panels) {
        draw_lines(area, title, lines)?;
    }
    root.present()?;
    Ok(())
}

fn draw_lines(
    panel: &DrawingArea<SVGBackend, plotters::coord::Shift>,
    title: &str,
    lines: &[Line],
) -> Result<(), Box<dyn Error>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let end = points().map(|(seconds, _)| *seconds).fold(1.0, f64::max);
    let most = points().map(|(_, value)| *value).fold(1.0, f64::max);
    let mut chart = ChartBuilder::on(panel)
        .caption(title, ("sans-serif", 18))
        .margin(8)
        .set_label_area_size(LabelAreaPosition::Left, 60)
        .set_label_area_size(LabelAreaPosition::Bottom, 36)
        .build_cartesian_2d(0.0..end, 0.0..most * 1.1)?;
    chart.configure_mesh().x_desc("seconds").light_line_style(WHITE).draw()?;
    for (at, line) in lines.iter().enumerate() {
        let color = COLORS[at % COLORS.len()];
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), color.stroke_width(2)))?
            .label(line.name)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], color.filled()));
    }
    chart.configure_series_labels().border_style(BARE).background_style(WHITE).draw()?;
    Ok(())
}
