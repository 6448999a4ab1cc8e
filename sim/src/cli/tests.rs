//! Every command explains itself, and its examples work.

use super::Arguments;
use clap::{ArgMatches, Command, CommandFactory};
#[cfg(not(feature = "fuse"))]
use std::fmt::Write as _;

/// Calls `visit` for each command that does something, with its words: `cutpoint image ls`.
fn each_command(command: &Command, words: &[String], visit: &mut dyn FnMut(&[String], &Command)) {
    let words = [words, &[command.get_name().to_owned()]].concat();
    let below: Vec<_> = command.get_subcommands().collect();
    if below.is_empty() {
        visit(&words, command);
    }
    for command in below {
        if command.get_name() != "help" {
            each_command(command, &words, visit);
        }
    }
}

fn commands(mut visit: impl FnMut(&[String], &Command)) {
    let mut all = Arguments::command();
    all.build();
    each_command(&all, &[], &mut visit);
}

/// The examples in a command's help, without what is said of them, which stands two blanks behind.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string);
    let help = help.unwrap_or_default();
    let lines = help
        .lines()
        .filter_map(|line| line.strip_prefix("  cutpoint "));
    lines
        .map(|line| {
            let typed = line.split("  ").next().unwrap_or_default();
            let typed = typed.split(" > ").next().unwrap_or_default();
            format!("cutpoint {typed}")
        })
        .collect()
}

/// The words of the command that was parsed.
fn parsed(matches: &ArgMatches) -> Vec<String> {
    let mut words = vec!["cutpoint".to_owned()];
    let mut matches = matches;
    while let Some((name, below)) = matches.subcommand() {
        words.push(name.to_owned());
        matches = below;
    }
    words
}

#[test]
fn every_command_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn every_command_has_examples_and_they_parse() {
    commands(|words, command| {
        let examples = examples(command);
        let mut own = 0;
        for example in &examples {
            let typed = example
                .split_whitespace()
                .map(|word| word.trim_matches('\''));
            let matches = Arguments::command()
                .try_get_matches_from(typed)
                .unwrap_or_else(|error| panic!("in the help of {words:?}: {example}: {error}"));
            own += usize::from(parsed(&matches) == words);
        }
        assert!(
            own > 0,
            "no example in the help of {words:?}: give one in its after_help"
        );
        let help = command.get_after_help().map(ToString::to_string);
        assert!(
            help.is_some_and(|help| help.contains("Exit codes: ")),
            "no exit codes in the help of {words:?}"
        );
    });
}

#[test]
fn the_guide_has_every_command_and_option() {
    let guide = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command-line.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    commands(|words, command| {
        let heading = format!("\n### `{}`\n", words.join(" "));
        let Some((_, section)) = guide.split_once(&heading) else {
            panic!("docs/command-line.md has no section {}", heading.trim());
        };
        let section = section.split("\n### ").next().unwrap_or_default();
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long() else {
                continue;
            };
            if !matches!(long, "help" | "version") {
                assert!(
                    section.contains(&format!("`--{long}")),
                    "docs/command-line.md says nothing of --{long} under {}",
                    heading.trim()
                );
            }
        }
    });
}

/// What people read, so that a change of it is reviewed; one file for each of the commands at the top.
#[cfg(not(feature = "fuse"))]
#[test]
fn helps() {
    let mut helps: Vec<(String, String)> = Vec::new();
    commands(|words, command| {
        let help = command.clone().render_long_help().to_string();
        let top = words[1].clone();
        if helps.last().is_none_or(|(last, _)| *last != top) {
            helps.push((top, String::new()));
        }
        if let Some((_, text)) = helps.last_mut() {
            let _ = writeln!(text, "== {}\n{help}", words.join(" "));
        }
    });
    insta::with_settings!({
        snapshot_path => "../../tests/snapshots",
        prepend_module_to_snapshot => false,
    }, {
        for (top, text) in helps {
            insta::assert_snapshot!(format!("help__{top}"), text);
        }
    });
}

#[test]
fn manual_pages_and_completions_name_every_command() {
    let mut script = Vec::new();
    clap_complete::generate(
        clap_complete::Shell::Bash,
        &mut Arguments::command(),
        "cutpoint",
        &mut script,
    );
    let script = String::from_utf8(script).unwrap();
    let folder = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(Arguments::command(), &folder).unwrap();
    commands(|words, _| {
        assert!(
            script.contains(&words.join("__")) || script.contains(&words.join("__subcmd__")),
            "{words:?}"
        );
        let page = folder.path().join(words.join("-") + ".1");
        let page = std::fs::read_to_string(&page).unwrap();
        assert!(page.contains("Examples:"), "{words:?}");
    });
}
