//! The generated part of docs/performance.md. Used by `main`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::figures::Figures;
use crate::plot::{self, Plot};
use crate::report::{ENOUGH, QUIET};
use crate::{table, targets};

/// What surrounds it.
const MARKS: [&str; 2] = ["<!-- bench: begin, written by `cargo xtask bench --markdown` -->", "<!-- bench: end -->"];

/// The folder of the pictures, beside the page.
const PLOTS: &str = "performance";

/// Writes it into the page in this folder, and its pictures beside it.
pub(crate) fn write(docs: &Path, figures: &Figures, date: &str) -> Result<()> {
    let path = docs.join("performance.md");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let plots = plot::all(figures)?;
    let Some(text) = between_marks(&text, &section(figures, &plots, date)) else {
        bail!("{} has not the lines `{}` and `{}`", path.display(), MARKS[0], MARKS[1]);
    };
    fs::write(&path, text).with_context(|| path.display().to_string())?;
    let folder = docs.join(PLOTS);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for Plot { file, svg, .. } in &plots {
        let path = folder.join(file);
        fs::write(&path, svg).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn between_marks(text: &str, section: &str) -> Option<String> {
    let [begin, end] = MARKS;
    let (before, _) = text.split_once(begin)?;
    let (_, after) = text.split_once(end)?;
    Some(format!("{before}{begin}\n\n{section}\n{end}{after}"))
}

fn section(figures: &Figures, plots: &[Plot], date: &str) -> String {
    let mut text = format!("{}\n## Targets\n\n{}\n", origin(figures, date), targets::section(figures));
    for Plot { file, alt, .. } in plots {
        let _ = writeln!(text, "![{alt}]({PLOTS}/{file})\n");
    }
    let _ = writeln!(text, "## All figures\n\n{}", table::all(figures).trim_end());
    text
}

/// Where the figures come from, and how to read them.
fn origin(figures: &Figures, date: &str) -> String {
    let mut machines: Vec<&str> = figures.runs.iter().map(|run| run.machine.as_str()).collect();
    machines.dedup();
    let commands: Vec<String> = figures.runs.iter().map(|run| format!("`{}`", run.command)).collect();
    let noisiest = figures.lines.iter().map(|line| line.noise).fold(0.0, f64::max);
    let runs = figures.lines.iter().map(|line| line.runs);
    let (fewest, most) = (runs.clone().min().unwrap_or(0), runs.max().unwrap_or(0));
    let counts = if fewest == most { most.to_string() } else { format!("{fewest} to {most}") };
    format!(
        "Machine: {}. Date: {date}. Commands: {}.\n\nCells: median (minimum–maximum) of {counts} interleaved \
         runs, and, behind the point, what it costs over what it costs with `wasm`: 2.00× is half as good as ours. `w`: \
         worker threads. Others took at most {:.0} % of the machine during a run that counts; runs with more than {:.0} % \
         are left out where {ENOUGH} quieter ones exist. What is compared was measured in one run.\n",
        machines.join("; "),
        commands.join(", "),
        noisiest * 100.0,
        QUIET * 100.0
    )
}

#[cfg(test)]
mod tests {
    use super::{MARKS, between_marks, section};
    use crate::figures::tests::line;
    use crate::figures::{Figures, RunInfo};
    use crate::plot::Plot;
    use crate::unit::Unit;

    #[test]
    fn only_what_is_between_the_marks_changes() {
        let [begin, end] = MARKS;
        let page = format!("# A\n\n{begin}\n\nold\n{end}\n\nby hand\n");
        assert_eq!(between_marks(&page, "new\n"), Some(format!("# A\n\n{begin}\n\nnew\n\n{end}\n\nby hand\n")));
        assert_eq!(between_marks("# A\n", "new"), None);
    }

    #[test]
    fn the_section_says_where_it_comes_from() {
        let run = RunInfo { run: 7, machine: "2 cores".to_owned(), command: "cargo xtask bench send".to_owned() };
        let figures = Figures::new(vec![line("send", "wasm", 90.0, Unit::Ns)], vec![run]);
        let plot = Plot { file: "messages.svg", alt: "bars", svg: String::new() };
        let text = section(&figures, &[plot], "2026-11-24");
        for part in [
            "Machine: 2 cores. Date: 2026-11-24. Commands: `cargo xtask bench send`.",
            "## Targets",
            "### send",
            "![bars](performance/messages.svg)",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}
