//! What a campaign has come to, as text.

use super::coverage::write_lines;
use super::{grouped, replay_command};
use crate::run::{Configuration, Header, ModelTotals, Totals};
use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use std::fmt::{self, Write};
use std::time::Duration;

/// How many causes are spelled out; the others are counted.
const CAUSES_SHOWN: usize = 20;

/// The summary of a campaign, as [`fmt::Display`]. It is the same for the same totals; rates stand in it where the time
/// that the campaign took is known.
#[derive(Clone, Copy, Debug)]
pub struct CampaignText<'a> {
    header: &'a Header,
    totals: &'a Totals,
    elapsed: Option<(Duration, u64)>,
}

impl<'a> CampaignText<'a> {
    /// The summary of a run with this header and these totals.
    pub fn new(header: &'a Header, totals: &'a Totals) -> Self {
        Self {
            header,
            totals,
            elapsed: None,
        }
    }

    /// What was found and the last line alone.
    pub fn quiet_text(&self) -> String {
        let mut text = String::new();
        // A string takes everything.
        let _ = self.write_causes(&mut text);
        let _ = self.write_verdict(&mut text);
        text
    }

    /// The same, with rates: so many recoveries were run in this time.
    #[must_use]
    pub fn with_rate(self, recoveries: u64, elapsed: Duration) -> Self {
        Self {
            elapsed: Some((elapsed, recoveries)),
            ..self
        }
    }
}

fn name_of(model: &ModelTotals) -> String {
    match model.depth {
        1 => model.contract.clone(),
        depth => format!("{} x{depth}", model.contract),
    }
}

impl fmt::Display for CampaignText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let totals = self.totals;
        let mut table = Table::new();
        table.load_style(NOTHING);
        table.set_header(["contract", "workloads", "states", "recoveries", "verdict"]);
        for column in 1..4 {
            if let Some(column) = table.column_mut(column) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        for model in &totals.models {
            table.add_row([
                name_of(model),
                grouped(model.entries),
                model.states.to_string(),
                grouped(model.recoveries),
                match model.violations {
                    0 => "clean".to_owned(),
                    count => format!("{} found", grouped(count)),
                },
            ]);
        }
        for line in table.lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f)?;
        self.write_causes(f)?;
        let (covered, states) = (&totals.covered, &totals.states);
        let sampled = grouped(totals.sampled);
        writeln!(
            f,
            "{covered} of {states} crash states covered, {sampled} sampled;"
        )?;
        if totals.entries > 0 {
            write_lines(f, &totals.coverage)?;
        }
        let (entries, recoveries) = (grouped(totals.entries), grouped(totals.recoveries));
        let seed = self.header.configuration.seed;
        writeln!(
            f,
            "{entries} workloads under seed {seed}, {} operations, {recoveries} recoveries.",
            grouped(totals.operations)
        )?;
        if let Some((elapsed, recoveries)) = self.elapsed {
            let rate = u128::from(recoveries) * 1_000_000 / elapsed.as_micros().max(1);
            let seconds = elapsed.as_secs_f64();
            let (recoveries, rate) = (grouped(recoveries), grouped(rate as u64));
            writeln!(
                f,
                "Now: {recoveries} recoveries in {seconds:.1} s, {rate} a second."
            )?;
        }
        self.write_verdict(f)
    }
}

impl CampaignText<'_> {
    fn write_verdict(&self, f: &mut dyn Write) -> fmt::Result {
        let totals = self.totals;
        match (totals.violations, totals.causes.len()) {
            (0, _) => writeln!(f, "No violation found."),
            (1, _) => writeln!(f, "1 violation found."),
            (count, 1) => writeln!(f, "{} violations found, of one cause.", grouped(count)),
            (count, causes) => {
                writeln!(
                    f,
                    "{} violations found, of {causes} causes.",
                    grouped(count)
                )
            }
        }
    }

    fn write_causes(&self, f: &mut dyn Write) -> fmt::Result {
        let causes = &self.totals.causes;
        let Configuration { subject, peer, .. } = &self.header.configuration;
        let peer = peer.as_ref().map(|peer| peer.name.as_str());
        for cause in causes.iter().take(CAUSES_SHOWN) {
            let entries = match cause.entries {
                1 => "1 workload".to_owned(),
                count => format!("{} workloads", grouped(count)),
            };
            writeln!(f, "{}: in {entries}", cause.cause)?;
            let (workload, contract) = (&cause.workload, &cause.contract);
            let again = replay_command(subject, peer, workload, contract, &cause.place);
            writeln!(f, "  first: {again}")?;
            if let Some(case) = &cause.case {
                writeln!(f, "  made small: cases/{case}")?;
            }
            writeln!(f)?;
        }
        let more = causes.len().saturating_sub(CAUSES_SHOWN);
        if more > 0 {
            writeln!(
                f,
                "{more} more causes are not shown; run.jsonl has them all.\n"
            )?;
        }
        Ok(())
    }
}
