//! Figures as pictures: SVG, panels of grouped bars. Used by `page`.
//!
//! Must hold: they are legible on a light page and on a dark one, and without their colours: every bar has its name and
//! its value.

mod bars;
mod charts;
mod scale;

use anyhow::Result;

use crate::figures::Figures;

/// A picture for the page.
#[derive(Debug)]
pub(crate) struct Plot {
    /// Without folder.
    pub(crate) file: &'static str,
    /// What it shows, for who cannot see it.
    pub(crate) alt: &'static str,
    pub(crate) svg: String,
}

/// All pictures for which there are figures.
pub(crate) fn all(figures: &Figures) -> Result<Vec<Plot>> {
    let mut plots = Vec::new();
    for chart in charts::all(figures) {
        if !chart.panels.is_empty() {
            plots.push(Plot { file: chart.file, alt: chart.alt, svg: bars::draw(&chart)? });
        }
    }
    Ok(plots)
}

/// Panels of bars with one legend.
#[derive(Debug)]
struct Chart {
    file: &'static str,
    alt: &'static str,
    /// What the bars of a group are, from top to bottom.
    series: Vec<String>,
    panels: Vec<Panel>,
}

#[derive(Debug)]
struct Panel {
    title: String,
    unit: crate::unit::Unit,
    groups: Vec<Group>,
}

/// The bars of one system.
#[derive(Debug)]
struct Group {
    name: String,
    kind: Kind,
    /// One for each of the series; what was not measured is left out.
    values: Vec<Option<f64>>,
}

/// What a system is, as its colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// This host.
    Ours,
    /// Another wasm sandbox.
    Sandbox,
    /// Anything else.
    Other,
}
