//! The templates, filled in.

use super::Page;
use super::audit::AuditTable;
use super::charts::Chart;
use super::coverage::{Figures, Inside};
use super::findings::Verdict;
use super::overview::{Line, Matrix, Totals};
use super::timeline::Timeline;
use super::witness::Witness;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A page could not be made.
#[derive(Debug, Error)]
#[error("a template of the report cannot be filled in: {0}")]
pub struct PageError(#[from] minijinja::Error);

const SCRIPT: &str = include_str!("../../html/page.js");
const STYLE: &str = include_str!("../../html/page.css");

/// The templates by name. All of them are HTML.
const TEMPLATES: [(&str, &str); 10] = [
    ("page", include_str!("../../html/page.html")),
    ("findings", include_str!("../../html/findings.html")),
    ("command", include_str!("../../html/command.html")),
    ("overview", include_str!("../../html/overview.html")),
    ("timeline", include_str!("../../html/timeline.html")),
    ("witness", include_str!("../../html/witness.html")),
    ("disk", include_str!("../../html/disk.html")),
    ("charts", include_str!("../../html/charts.html")),
    ("coverage", include_str!("../../html/coverage.html")),
    ("audit", include_str!("../../html/audit.html")),
];

pub(super) fn render(page: &Page) -> Result<String, PageError> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    environment.set_syntax(syntax.trim_blocks(true).lstrip_blocks(true).build()?);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    let hash = STANDARD.encode(Sha256::digest(SCRIPT));
    let contents = Contents {
        title: &page.title,
        version: env!("CARGO_PKG_VERSION"),
        // Nothing runs but this script, whatever a name may say.
        policy: format!(
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{hash}'"
        ),
        script: SCRIPT,
        style: STYLE,
        verdict: Verdict::of(page),
        totals: Totals::of(&page.sums, page.threads),
        charts: Chart::all(&page.growth),
        lines: &page.lines,
        unlisted: page.unlisted,
        matrix: Matrix::of(&page.lines),
        inside: Inside::of(&page.coverage),
        figures: Figures::of(&page.coverage),
        timelines: &page.timelines,
        witnesses: &page.witnesses,
        audits: &page.audits,
    };
    Ok(environment.get_template("page")?.render(Serde(contents))?)
}

/// What the templates are filled in with.
#[derive(Serialize)]
struct Contents<'a> {
    title: &'a str,
    version: &'static str,
    policy: String,
    script: &'static str,
    style: &'static str,
    verdict: Verdict<'a>,
    totals: Totals,
    charts: Vec<Chart>,
    lines: &'a [Line],
    unlisted: u64,
    matrix: Option<Matrix>,
    inside: Inside,
    figures: Figures,
    timelines: &'a [Timeline],
    witnesses: &'a [Witness],
    audits: &'a [AuditTable],
}
