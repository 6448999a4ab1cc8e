//! Pages for a browser: what they say, that names are shown and not run, and that they stay small.

mod toy;

use cutpoint::audit::Audit;
use cutpoint::contract;
use cutpoint::explore::Sweep;
use cutpoint::html::Page;
use cutpoint::op::{Operation, Value};
use cutpoint::subject::{Contents, Device, Health, Mounted, Promises, Subject, SubjectError};
use cutpoint::subjects::EngineSubject;
use cutpoint::workload::{Workload, builtin};
use cutpoint_engine::device::{BlockDevice, BlockId, Geometry};
use cutpoint_engine::{FormatOptions, MountOptions, Sabotage};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use toy::{Fault, Toy};

const HOSTILE: &str = "/</script><script>throw 1</script><b id=\"x\" onmouseover='throw 2'>";

/// The page of a store that loses a key whose name is markup.
fn hostile() -> String {
    let subject = Toy::with(Fault::LosesKeyWhenCut);
    let workload = Workload::new("<img src=x onerror=throw(3)>", toy::geometry())
        .then(Operation::set(
            HOSTILE,
            Value::literal("</script><script>throw 4</script>"),
        ))
        .then(Operation::set("/!", Value::literal("1")))
        .then(Operation::set("/!", Value::literal("2")));
    let sweep = Sweep::new(&subject, &workload);
    let report = sweep.run();
    assert!(report.violation_count() > 0);
    let mut page = Page::new("A <title> & more");
    page.add_sweep(&sweep, &report, None);
    page.render().unwrap()
}

/// The page of an engine that commits before its data are written.
fn broken() -> String {
    let mount = MountOptions::default().with_sabotage(Sabotage::CommitBeforeData);
    let subject = EngineSubject::new(FormatOptions::default(), mount);
    let mut page = Page::new("The engine, made to commit before its data");
    let workload = Workload::new("two-values", Geometry::new(512, 32).unwrap())
        .then(Operation::set(
            "/notes/small",
            Value::literal("kept in the log"),
        ))
        .then(Operation::set("/notes/large", Value::generated(1300, 1)))
        .then(Operation::rename("/notes/small", "/notes/moved"));
    for contract in [&contract::PREFIX, &contract::REORDER] {
        let sweep = Sweep::new(&subject, &workload).under(contract);
        page.add_sweep(&sweep, &sweep.run(), None);
    }
    page.render().unwrap()
}

/// The page of an audit of the engine.
fn clean() -> String {
    let subject = EngineSubject::default();
    let workload = builtin::builtin("rename-512").unwrap();
    let sweep = Sweep::new(&subject, &workload).under(&contract::REORDER);
    let mut page = Page::new("Barrier audit");
    page.add_audit(&sweep, &Audit::of(sweep).unwrap().run());
    page.render().unwrap()
}

/// The page's pieces between `start` and `end`.
fn between<'p>(page: &'p str, start: &str, end: &str) -> Vec<&'p str> {
    let pieces = page.split(start).skip(1);
    pieces.map(|rest| rest.split(end).next().unwrap()).collect()
}

#[test]
fn names_and_values_are_shown_and_not_run() {
    let page = hostile();
    let data = between(&page, "<script type=\"application/json\">", "</script>");
    assert_eq!(
        page.matches("<script").count(),
        data.len() + 1,
        "one script runs"
    );
    assert_eq!(page.matches("</script").count(), data.len() + 1);
    for markup in ["<b id", "<img", "<title> &", "onmouseover='"] {
        assert!(!page.contains(markup), "{markup}");
    }
    let parsed: serde_json::Value = serde_json::from_str(data[0]).unwrap();
    let steps = parsed["steps"].to_string();
    assert!(steps.contains(&HOSTILE.replace('"', "\\\"")), "{steps}");
    assert!(page.contains("&lt;&#x2f;script&gt;&lt;script&gt;throw 1"));
}

#[test]
fn a_witness_says_what_was_lost_when_the_power_went_and_how_to_see_it_again() {
    let page = broken();
    for said in [
        "torn value",
        "When the power went",
        "inside operation 2, set &#x2f;notes&#x2f;large 1300 B",
        "<code>cutpoint replay two-values --state ",
        "cutpoint replay two-values --state &#x27;",
        "--contract reorder</code>",
        "What is missing: all writes up to the cut",
        "value in blocks",
        "<ins>",
        "the power goes here",
    ] {
        assert!(page.contains(said), "{said}");
    }
}

#[test]
fn an_audit_shows_each_sync_with_its_witness() {
    let page = clean();
    assert!(page.contains("No violation found."));
    assert!(page.contains("needed for ordering") && page.contains("needed for durability"));
    assert!(page.contains(" --contract reorder --without-sync "));
}

/// A store that takes many writes for one call, and is never recovered from.
struct Busy;

const WRITES: u32 = 200_000;

impl Subject for Busy {
    fn name(&self) -> &'static str {
        "busy"
    }

    fn promises(&self) -> Promises {
        Promises::default()
    }

    fn format(&self, _: Device) -> Result<(), SubjectError> {
        Ok(())
    }

    fn mount(&self, device: Device) -> Result<Box<dyn Mounted>, SubjectError> {
        Ok(Box::new(Working(device)))
    }
}

struct Working(Device);

impl Mounted for Working {
    fn apply(&mut self, _: &Operation) -> Result<(), SubjectError> {
        // All over the device, so that neighbours share as little as can be.
        for write in 0..WRITES {
            let block = BlockId::new(write.wrapping_mul(2_654_435_761) % 4096);
            self.0.prog(block, write / 4096, &[0])?;
            if write % 50 == 49 {
                self.0.sync()?;
            }
        }
        Ok(())
    }

    fn contents(&mut self) -> Result<Contents, SubjectError> {
        Ok(Contents::of_values([(
            cutpoint_engine::Key::new("/k"),
            vec![],
        )]))
    }

    fn check(&mut self) -> Result<Health, SubjectError> {
        Ok(Health::default())
    }
}

#[test]
fn very_many_states_leave_a_small_page() {
    let workload = Workload::new("busy", Geometry::new(512, 4096).unwrap())
        .then(Operation::set("/k", Value::literal("")));
    // What there is to explore is known before the first recovery.
    let cancelled = AtomicBool::new(true);
    let sweep = Sweep::new(&Busy, &workload)
        .with_budget(u64::MAX)
        .with_cancel(&cancelled);
    let report = sweep.run();
    assert_eq!(report.states, (u64::from(WRITES) + 1).into());
    let mut page = Page::new("Busy");
    page.add_sweep(&sweep, &report, None);
    let html = page.render().unwrap();
    assert!(html.contains("not all crash states were covered"));
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
}

#[test]
fn the_command_writes_a_page() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("sweep.html");
    let sweep = |file: &Path| {
        let mut command = assert_cmd::cargo::cargo_bin_cmd!("cutpoint");
        command.args(["sweep", "rename-512", "--quiet", "--report"]);
        command.arg(file).assert()
    };
    sweep(&file).code(0);
    let page = std::fs::read_to_string(&file).unwrap();
    assert!(page.contains("<b>rename-512</b>") && page.contains(" a second)"));

    let refused = sweep(&dir.path().join("missing/sweep.html")).code(2);
    let line = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(
        line.starts_with("error: ") && line.contains("missing/sweep.html"),
        "{line}"
    );
}

/// Opens pages in headless Chromium: `sim/html/browser/README.md` says what it needs.
#[test]
#[ignore = "needs Chromium and the Python package selenium: see sim/html/browser/README.md"]
fn pages_work_in_a_browser() {
    let python = std::env::var_os("CUTPOINT_BROWSER_PYTHON").unwrap_or_else(|| "python3".into());
    let dir = tempfile::tempdir().unwrap();
    for (name, page) in [
        ("hostile", hostile()),
        ("broken", broken()),
        ("clean", clean()),
    ] {
        std::fs::write(dir.path().join(format!("{name}.html")), page).unwrap();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("html/browser/open_pages.py");
    let status = Command::new(python)
        .arg(script)
        .arg(dir.path())
        .status()
        .unwrap();
    assert!(status.success());
}
