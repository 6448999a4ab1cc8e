use super::line::VALUE_MAX;
use super::*;
use crate::contract;
use crate::op::Value;
use crate::verdict::ViolationKind;
use crate::workload::{Workload, builtin};
use cutpoint_engine::Key;
use proptest::collection::vec;
use proptest::prelude::*;
use std::path::{Path, PathBuf};

/// The files that a case says to stand beside it.
struct Files(Vec<(String, Vec<u8>)>);

impl Files {
    fn of(case: &Case) -> Self {
        let files = case.files().into_iter();
        Self(
            files
                .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
                .collect(),
        )
    }
}

impl Beside for Files {
    fn file(&self, name: &str) -> Result<Vec<u8>, String> {
        let found = self.0.iter().find(|(other, _)| other == name);
        found
            .map(|(_, bytes)| bytes.clone())
            .ok_or_else(|| "there is none".into())
    }

    fn image(&self, _: &str) -> Result<crate::workload::images::CorpusImage, String> {
        Err("there is none".into())
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..20),
        any::<String>().prop_map(String::into_bytes),
        "[a-z{}/*\\-\\\\\"# ]{0,8}".prop_map(String::into_bytes),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        bytes().prop_map(Value::literal),
        (0..=VALUE_MAX, any::<u64>()).prop_map(|(length, seed)| Value::generated(length, seed)),
        (0..=VALUE_MAX, any::<u8>()).prop_map(|(length, byte)| Value::repeated(length, byte)),
        // What a file holds hangs on its name, so that no name has two contents.
        "[a-z]{1,4}\\.bin".prop_map(|name| Value::File {
            bytes: name.as_bytes().into(),
            name: name.into(),
        }),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let key = || bytes().prop_map(Key::new);
    prop_oneof![
        (key(), value()).prop_map(|(key, value)| Operation::Set { key, value }),
        (key(), any::<u32>(), value()).prop_map(|(key, offset, value)| Operation::SetPartial {
            key,
            offset,
            value
        }),
        (key(), 0..=VALUE_MAX).prop_map(|(key, size)| Operation::Truncate { key, size }),
        (key(), 0..=VALUE_MAX).prop_map(|(key, size)| Operation::Allocate { key, size }),
        (key(), any::<u8>(), value()).prop_map(|(key, kind, data)| Operation::SetAttribute {
            key,
            kind,
            data
        }),
        (key(), any::<u8>()).prop_map(|(key, kind)| Operation::RemoveAttribute { key, kind }),
        key().prop_map(|key| Operation::Remove { key }),
        (key(), key()).prop_map(|(source, dest)| Operation::Rename { source, dest }),
        key().prop_map(|key| Operation::CreateDictionary { key }),
        Just(Operation::Sync),
        Just(Operation::Remount),
    ]
}

fn crash_model() -> impl Strategy<Value = CrashModel> {
    (0..contract::ALL.len(), 1..=3_u32).prop_map(|(index, depth)| CrashModel {
        contract: contract::ALL[index],
        depth,
    })
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        Just(Verdict::Clean),
        Just(Verdict::Refused),
        Just(Verdict::Violation(ViolationKind::LostKey)),
        Just(Verdict::Violation(ViolationKind::PeerDisagrees)),
    ]
}

prop_compose! {
    fn device()(
        (block_size, prog_size) in prop_oneof![Just((128, 1)), Just((512, 16)), Just((4096, 256))],
        block_count in 2..5000_u32,
        erase_value: u8,
    ) -> CaseDevice {
        let geometry = Geometry::new(block_size, block_count).unwrap();
        CaseDevice { geometry: geometry.with_prog_size(prog_size).unwrap(), erase_value }
    }
}

fn start() -> impl Strategy<Value = CaseStart> {
    let image = Geometry::new(128, 4).unwrap();
    let device = CaseDevice {
        geometry: image,
        erase_value: 0,
    };
    let holds = vec(
        (bytes(), value()).prop_map(|(name, value)| Operation::Set {
            // A name of its own for each, so that none is refused.
            key: Key::ROOT.child([b"v".as_slice(), &hex::encode(name).into_bytes()].concat()),
            value: match value {
                Value::Generated { length, seed } => Value::generated(length % 100, seed),
                Value::Repeated { length, byte } => Value::repeated(length % 100, byte),
                value => value,
            },
        }),
        0..3,
    );
    prop_oneof![
        self::device().prop_map(CaseStart::Blank),
        holds.prop_map(move |holds| {
            CaseStart::Image(CaseImage::beside(device, "start.img", vec![7; 512], holds).unwrap())
        }),
    ]
}

prop_compose! {
    fn any_case()(
        (title, origin) in ("[a-zA-Z\"\\\\]{1,9}( [a-z(){}.,]{1,9}){0,4}", "[a-zéß]{1,9}( [a-z;:.\"]{1,30}){0,20}"),
        (links, tags) in (vec("https://[a-z][a-z.\\-]{0,9}", 0..3), vec("[a-z][a-z0-9\\-]{0,5}", 0..3)),
        start in start(),
        (disk_version, block_cycles) in (
            proptest::option::of(prop_oneof![Just(DiskVersion::V2_0), Just(DiskVersion::V2_1)]),
            proptest::option::of(any::<u32>()),
        ),
        operations in vec(operation(), 0..12),
        models in vec((crash_model(), proptest::option::of(any::<u64>()), any::<u64>()), 1..4),
        expected in vec(("[a-z]{1,9}", verdict(), any::<bool>()), 1..4),
        states in vec((0..200_u32, any::<u128>()), 0..2),
    ) -> Case {
        let mut explorations: Vec<Exploration> = Vec::new();
        for (model, max_states, seed) in models {
            if explorations.iter().all(|other| other.model != model) {
                explorations.push(Exploration { model, max_states, seed });
            }
        }
        let under = explorations[0].model;
        let mut expectations: Vec<Expectation> = Vec::new();
        for (subject, verdict, narrowed) in expected {
            let expectation = Expectation { subject, verdict, under: narrowed.then_some(under) };
            if expectations.iter().all(|other| (&other.subject, other.under) != (&expectation.subject, expectation.under)) {
                expectations.push(expectation);
            }
        }
        let witnesses = states.into_iter().map(|(cut, fingerprint)| Witness {
            state: CrashState::prefix(cut),
            under,
            subject: "engine".into(),
            fingerprint: format!("{fingerprint:032x}").parse().unwrap(),
        });
        Case {
            title,
            origin,
            links,
            tags,
            start,
            disk_version,
            block_cycles,
            operations,
            explorations,
            expectations,
            witnesses: witnesses.collect(),
        }
    }
}

proptest! {
    #[test]
    fn reads_what_it_prints(case in any_case()) {
        let text = case.to_string();
        let read = Case::parse(&text, &Files::of(&case));
        prop_assert_eq!(read.as_ref(), Ok(&case), "{}", text);
        prop_assert_eq!(read.unwrap().to_string(), text);
    }

    #[test]
    fn any_text_is_a_case_or_an_error_with_a_place(text in "(set|title|start|explore|[a-z{}/*\"=0-9()\\n\\\\ -]){0,60}") {
        if let Err(error) = Case::parse(&text, &Alone) {
            prop_assert!(error.position.is_some(), "{}", error);
        }
    }
}

/// Every kind of line there is.
const FULL: &str = r#"title "Every kind of line"
origin """
    Made up, so that the canonical form of each line is seen and none changes by accident; a long text is broken
    between words.
    """
link "https://example.org/1"
tags format example

device block-size=512 block-count=64 prog-size=16 erase-value=0x00
store disk-version="2.0" block-cycles=5

set "/a" "text"
set (hex)"2f61ff" (hex)"00ff"
set "/d/b" length=700 seed=1
set "/u" length=500 byte=0x07
set-partial "/a" at=2 "xyz"
truncate "/a" size=7
allocate "/z" size=600
set-attribute "/" 0x41 "att"
remove-attribute "/d" 0x07
remove "/d"
rename "/a" "/b"
create "/e/f"
sync
remount

explore prefix
explore nested
explore reorder depth=3 max-states=500 seed=7

expect engine clean
expect littlefs-c lost-key under=reorder depth=3
state "120-{117,118}" under=reorder depth=3 subject=engine fingerprint="0123456789abcdef0123456789abcdef"
"#;

#[test]
fn each_line_has_one_form() {
    let case = Case::parse(FULL, &Alone).unwrap();
    assert_eq!(case.operations.len(), 14);
    let models = case.explorations.iter().map(|each| each.model);
    let expected: Vec<_> = models
        .map(|model| case.expected("littlefs-c", model).copied())
        .collect();
    let lost = Verdict::Violation(ViolationKind::LostKey);
    assert_eq!(expected, [None, None, Some(lost)]);
    let printed = case.to_string();
    let lines: Vec<_> = printed
        .lines()
        .filter(|line| !line.starts_with(' '))
        .collect();
    let given: Vec<_> = FULL.lines().filter(|line| !line.starts_with(' ')).collect();
    assert_eq!(lines, given);
}

#[test]
fn errors_say_where_and_what_to_do() {
    let changed = |from: &str, to: &str| {
        assert!(FULL.contains(from), "{from}");
        let error = Case::parse(&FULL.replacen(from, to, 1), &Alone).unwrap_err();
        error.in_file("full.kdl").to_string()
    };
    let errors = [
        changed("\"text\"", "\"text"),
        changed("\"text\"", "text/b"),
        changed("length=700", "lenght=700"),
        changed("seed=1", ""),
        changed("seed=1", "seed=-1"),
        changed("seed=1", "seed=1 seed=2"),
        changed("length=700", "length=5000000"),
        changed("(hex)\"00ff\"", "(hex)\"00f\""),
        changed("\"/b\"", "\"/b\" \"/c\""),
        changed("rename", "move"),
        changed("sync", "sync {\nremount\n}"),
        changed("size=7", ""),
        changed("0x41", "0x141"),
        changed("\"/d\"", "\"/d/-\""),
        changed("length=700 seed=1", "file=\"big.bin\""),
        changed("block-size=512", "block-size=500"),
        changed("\"2.0\"", "\"3.0\""),
        changed("explore nested", "explore nestled"),
        changed("explore nested", "explore prefix"),
        changed("depth=3", "depth=9"),
        changed("engine clean", "engine lost-keys"),
        changed("engine clean", "Engine clean"),
        changed(&FULL[FULL.find("expect").unwrap()..], ""),
        changed("under=reorder", "under=torn"),
        changed("title \"Every kind of line\"", ""),
        changed("device", "start image=\"basic\"\ndevice"),
        changed("fingerprint=\"0", "fingerprint=\"x"),
        changed("120-", "-120"),
        changed("set", "(a)set"),
    ]
    .join(
        "
",
    );
    insta::assert_snapshot!(errors);
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus")
}

#[test]
fn a_case_starts_from_an_image_of_the_corpus_or_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    let images = corpus().join("images");
    let write = |text: &str| {
        let path = folder.path().join("a.kdl");
        std::fs::write(&path, text).unwrap();
        path
    };
    let head = "title \"a\"\norigin \"b\"\nexplore prefix\nexpect engine clean\n";
    let path = write(&format!(
        "{head}start image=basic_512_v21\nremove \"/hello\""
    ));
    let case = Case::read(&path, &images).unwrap();
    let workload = case.workload("on-basic");
    assert_eq!(workload.geometry().block_size(), 512);
    assert!(
        matches!(workload.start(), crate::workload::Start::Store { model, .. } if model.len() == 9)
    );
    // What is known by its digest alone cannot be told by a case.
    let error = Case::of(&workload, "a", "b").unwrap_err();
    assert!(
        error.to_string().contains("name the image of the corpus"),
        "{error}"
    );
    let partial = format!("{head}start image=basic_512_v21\nset-partial \"/hello\" at=1 \"x\"");
    let error = Case::read(&write(&partial), &images).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("a.kdl:6:1: 'set-partial /hello at 1 1 B' changes part"),
        "{error}"
    );

    let geometry = Geometry::new(128, 4).unwrap();
    let mut model = crate::model::Model::default();
    model
        .apply(&Operation::set("/d/v", Value::literal("held")))
        .unwrap();
    model
        .apply(&Operation::set_attribute("/d", 1, Value::literal("x")))
        .unwrap();
    let workload = Workload::new("beside", geometry)
        .starting_from(vec![3; 512], model.clone())
        .unwrap();
    let mut case = Case::of(&workload, "a", "b").unwrap();
    case.explorations.push(Exploration {
        model: CrashModel::NESTED,
        max_states: None,
        seed: 0,
    });
    case.expectations.push(Expectation {
        subject: "engine".into(),
        verdict: Verdict::Clean,
        under: None,
    });
    for (name, bytes) in case.files() {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let read = Case::read(&write(&case.to_string()), &images).unwrap();
    assert_eq!(read, case);
    let crate::workload::Start::Store { model: shown, .. } = read.workload("again").start().clone()
    else {
        panic!("the case starts from nothing");
    };
    assert_eq!(shown, model);
    let text = case.to_string().replace("set \"/d/v\"", "set \"/d\"");
    let error = Case::read(&write(&text), &images).unwrap_err();
    assert!(error.to_string().contains("is refused"), "{error}");
    let outside = case
        .to_string()
        .replace("\"beside.img\"", "\"../beside.img\"");
    let error = Case::read(&write(&outside), &images).unwrap_err();
    assert!(
        error.to_string().contains("it is no plain file name"),
        "{error}"
    );
}

#[test]
fn every_built_in_workload_is_a_case() {
    for workload in builtin::builtins() {
        let mut case = Case::of(&workload, workload.name(), "Built in.").unwrap();
        case.explorations.push(Exploration {
            model: CrashModel::of(&contract::TORN),
            max_states: None,
            seed: 0,
        });
        case.expectations.push(Expectation {
            subject: "engine".into(),
            verdict: Verdict::Clean,
            under: None,
        });
        let read = Case::parse(&case.to_string(), &Alone).unwrap();
        assert_eq!(read, case, "{}", workload.name());
        let again = read.workload(workload.name());
        assert_eq!(format!("{again:?}"), format!("{workload:?}"));
    }
}
