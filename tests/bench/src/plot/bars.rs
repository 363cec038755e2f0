//! Draws a chart: panels side by side, in each a group of bars for each system, the value behind each bar.

use anyhow::{Result, anyhow};
use plotters::backend::SVGBackend;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::element::{PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, RGBColor, TextStyle};

use super::scale::Scale;
use super::{Chart, Group, Kind, Panel};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Panels in a row.
const COLUMNS: usize = 2;
const WIDTH: i32 = 960;
const MARGIN: i32 = 16;
/// For the names of systems.
const NAMES: i32 = 132;
/// For values behind the longest bar.
const VALUES: i32 = 70;
const LEGEND: i32 = 34;
const TITLE: i32 = 26;
const AXIS: i32 = 22;
const BAR: i32 = 12;
const GAP: i32 = 8;

const TEXT: RGBColor = RGBColor(31, 35, 40);
const GRID: RGBColor = RGBColor(208, 215, 222);

/// What follows the page's colours: text and lines; the bars are legible on both.
const STYLE: &str = "<style>text{fill:#1F2328}@media(prefers-color-scheme:dark){text{fill:#E6EDF3}\
                     [stroke=\"#D0D7DE\"]{stroke:#3D444D}}</style>";

/// As SVG.
pub(super) fn draw(chart: &Chart) -> Result<String> {
    let heights: Vec<i32> = chart
        .panels
        .chunks(COLUMNS)
        .map(|row| row.iter().map(|panel| height(panel, chart.series.len())).max().unwrap_or(0))
        .collect();
    let all = LEGEND + heights.iter().sum::<i32>() + MARGIN;
    let mut svg = String::new();
    {
        let size = (u32::try_from(WIDTH)?, u32::try_from(all)?);
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        let drawn = legend(&area, chart).and_then(|()| {
            let mut top = LEGEND;
            for (row, height) in chart.panels.chunks(COLUMNS).zip(&heights) {
                let width = (WIDTH - MARGIN) / i32::try_from(COLUMNS)?;
                for (column, panel) in (0..).zip(row) {
                    draw_panel(&area, panel, (MARGIN + column * width, top), width - MARGIN)?;
                }
                top += height;
            }
            area.present().map_err(|error| anyhow!("a plot is not drawn: {error}"))
        });
        drawn?;
    }
    let Some((open, rest)) = svg.split_once(">\n") else { return Err(anyhow!("the plot is no SVG")) };
    Ok(format!("{open}>\n{STYLE}\n{rest}"))
}

fn height(panel: &Panel, series: usize) -> i32 {
    let bars = i32::try_from(series).unwrap_or(i32::MAX / 4096);
    let groups = i32::try_from(panel.groups.len()).unwrap_or(0);
    TITLE + groups * (bars * BAR + GAP) + AXIS + MARGIN
}

/// The colours of a system's bars, the first the strongest.
fn shades(kind: Kind) -> [RGBColor; 3] {
    match kind {
        Kind::Ours => [RGBColor(37, 99, 235), RGBColor(96, 148, 246), RGBColor(158, 190, 250)],
        Kind::Sandbox => [RGBColor(194, 94, 12), RGBColor(226, 145, 75), RGBColor(240, 190, 145)],
        Kind::Other => [RGBColor(107, 114, 128), RGBColor(150, 157, 168), RGBColor(190, 196, 205)],
    }
}

fn legend(area: &Area<'_>, chart: &Chart) -> Result<()> {
    let mut x = MARGIN;
    for (kind, name) in
        [(Kind::Ours, "this host"), (Kind::Sandbox, "another wasm sandbox"), (Kind::Other, "no sandbox")]
    {
        bar(area, (x, 11), 12, 10, shades(kind)[0])?;
        text(area, name, (x + 17, 16), HPos::Left, Font::Plain)?;
        x += 40 + 8 * i32::try_from(name.len())?;
    }
    let order = chart.series.join(", ");
    text(area, &format!("bars from top: {order}"), (WIDTH - MARGIN, 16), HPos::Right, Font::Plain)
}

fn draw_panel(area: &Area<'_>, panel: &Panel, (left, top): (i32, i32), width: i32) -> Result<()> {
    text(area, &panel.title, (left, top + 8), HPos::Left, Font::Title)?;
    let values = || panel.groups.iter().flat_map(|group| group.values.iter().flatten().copied());
    let scale = Scale::over(values());
    let (start, length) = (left + NAMES, width - NAMES - VALUES);
    #[expect(clippy::cast_possible_truncation, reason = "a part of the length")]
    let place = |value: f64| start + (scale.at(value) * f64::from(length)).round() as i32;
    let rows: Vec<i32> = panel.groups.iter().map(group_height).collect();
    let bottom = top + TITLE + rows.iter().sum::<i32>();
    for tick in scale.ticks() {
        let x = place(tick);
        let line = PathElement::new(vec![(x, top + TITLE - 4), (x, bottom)], GRID);
        area.draw(&line).map_err(|error| anyhow!("a line is not drawn: {error}"))?;
        text(area, &panel.unit.tick(tick), (x, bottom + 9), HPos::Center, Font::Small)?;
    }
    let mut y = top + TITLE;
    for (group, height) in panel.groups.iter().zip(&rows) {
        let name = if group.kind == Kind::Ours { Font::Strong } else { Font::Plain };
        text(area, &group.name, (start - 8, y + (height - GAP) / 2), HPos::Right, name)?;
        for (index, value) in (0..).zip(&group.values) {
            let Some(value) = value else { continue };
            let (at, end) = (y + index * BAR, place(*value));
            let shade = shades(group.kind)[usize::try_from(index)?.min(2)];
            bar(area, (start, at), (end - start).max(1), BAR - 2, shade)?;
            text(area, &panel.unit.shown(*value), (end + 5, at + BAR / 2 - 1), HPos::Left, Font::Small)?;
        }
        y += height;
    }
    Ok(())
}

fn group_height(group: &Group) -> i32 {
    i32::try_from(group.values.len()).unwrap_or(0) * BAR + GAP
}

fn bar(area: &Area<'_>, (x, y): (i32, i32), width: i32, height: i32, color: RGBColor) -> Result<()> {
    let bar = Rectangle::new([(x, y), (x + width, y + height)], color.filled());
    area.draw(&bar).map_err(|error| anyhow!("a bar is not drawn: {error}"))
}

#[derive(Clone, Copy, Debug)]
enum Font {
    Title,
    Strong,
    Plain,
    Small,
}

fn text(area: &Area<'_>, text: &str, at: (i32, i32), side: HPos, font: Font) -> Result<()> {
    let (size, style) = match font {
        Font::Title => (18, FontStyle::Bold),
        Font::Strong => (15, FontStyle::Bold),
        Font::Plain => (15, FontStyle::Normal),
        Font::Small => (13, FontStyle::Normal),
    };
    let font = ("sans-serif", size).into_font().style(style);
    let style = TextStyle::from(font).color(&TEXT).pos(Pos::new(side, VPos::Center));
    area.draw_text(text, &style, at).map_err(|error| anyhow!("a text is not drawn: {error}"))
}

#[cfg(test)]
mod tests {
    use super::draw;
    use crate::plot::{Chart, Group, Kind, Panel};
    use crate::unit::Unit;

    #[test]
    fn every_bar_has_its_name_and_value() {
        let group =
            |name: &str, kind, values: &[Option<f64>]| Group { name: name.to_owned(), kind, values: values.to_vec() };
        let groups = vec![
            group("wasm", Kind::Ours, &[Some(85.0), Some(90.0)]),
            group("erlang", Kind::Other, &[Some(121.0), None]),
        ];
        let chart = Chart {
            file: "messages.svg",
            alt: "",
            series: vec!["1 worker".to_owned(), "2 workers".to_owned()],
            panels: vec![Panel { title: "send".to_owned(), unit: Unit::Ns, groups }],
        };
        let svg = draw(&chart).expect("drawn");
        for part in ["<svg ", "prefers-color-scheme:dark", "\nwasm\n", "\nerlang\n", "\n85.0 ns\n", "\n121 ns\n"] {
            assert!(svg.contains(part), "{part}: {svg}");
        }
        assert!(svg.trim_end().ends_with("</svg>"));
    }
}
