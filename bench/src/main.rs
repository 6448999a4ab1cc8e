//! Compares the engine with the C littlefs, in one process: what each call asks of the device, how long it takes, and
//! how many instructions. README.md says how to run it and how to read it.
#![deny(unsafe_code)]

mod clock;
mod compare;
mod harness;
mod instructions;
mod ram;
mod recoveries;
mod report;
mod row;
mod setting;
mod subject;
mod target;
mod work;

use clap::{Parser, Subcommand};
use compare::{Comparison, Effort};
use harness::{Harness, Runner};
use row::Row;
use setting::Setting;
use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;
use subject::Side;
use subject::engine::Engine;

/// Compares the engine with the C littlefs.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures rows on both sides and says which meet their targets
    Run {
        /// Rows whose full name holds all of these, as in `512-512/ lookup /1000/`; all rows without any
        filter: Vec<String>,
        /// JSON, one object a line
        #[arg(long)]
        json: bool,
        /// Fewer pairs of runs, and of the rows with 4000 keys only those that targets about growth need
        #[arg(long)]
        quick: bool,
    },
    /// Counts the instructions of rows on both sides, under valgrind
    Instructions {
        /// As for `run`
        filter: Vec<String>,
        /// Keep callgrind's profiles in this folder
        #[arg(long)]
        profiles: Option<PathBuf>,
    },
    /// Runs one row on one side, for profilers
    One {
        /// The row, as `run` names it
        row: String,
        #[arg(long)]
        side: Side,
        #[arg(long, default_value = "512-512")]
        setting: Setting,
        /// How many times
        #[arg(long, default_value_t = 1)]
        times: u32,
    },
    /// Measures the harness: making crash states, and recoveries a second
    Recoveries,
    /// Names all rows
    List,
}

fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().command {
        Command::Run {
            filter,
            json,
            quick,
        } => run(&filter, json, quick),
        Command::Instructions { filter, profiles } => count_instructions(&filter, profiles),
        Command::One {
            row,
            side,
            setting,
            times,
        } => one(&row, side, setting, times),
        Command::Recoveries => recoveries::print(),
        Command::List => {
            for (setting, row) in chosen(&[])? {
                println!("{setting}/{row}");
            }
            Ok(())
        }
    }
}

/// The rows that the filter leaves, with every setting.
fn chosen(filter: &[String]) -> Result<Vec<(Setting, Row)>, String> {
    let mut chosen = Vec::new();
    for setting in Setting::ALL {
        for row in Row::all() {
            let name = format!("{setting}/{row}/");
            if filter.iter().all(|part| name.contains(part.as_str())) {
                chosen.push((setting, row));
            }
        }
    }
    if chosen.is_empty() {
        return Err(format!(
            "no row has all of {} in its name; `list` names them",
            filter.join(" ")
        ));
    }
    Ok(chosen)
}

/// The C side, where it is built in.
#[cfg(feature = "littlefs-c")]
#[allow(
    clippy::unnecessary_wraps,
    reason = "a build without the C side has none"
)]
fn c_side(setting: Setting) -> Option<Box<dyn Runner>> {
    Some(Box::new(Harness::<subject::littlefs::Littlefs>::new(
        setting,
    )))
}

/// The C side, where it is built in: not here.
#[cfg(not(feature = "littlefs-c"))]
fn c_side(_setting: Setting) -> Option<Box<dyn Runner>> {
    None
}

fn run(filter: &[String], json: bool, quick: bool) -> Result<(), Box<dyn Error>> {
    let effort = if quick {
        Effort {
            pairs: 5,
            time: Duration::from_millis(100),
        }
    } else {
        Effort {
            pairs: 25,
            time: Duration::from_millis(1500),
        }
    };
    let mut rows = chosen(filter)?;
    if quick {
        rows.retain(|(_, row)| !row.is_slow());
    }
    if !json {
        println!("{}", report::versions());
    }
    let mut all = Vec::new();
    for setting in Setting::ALL {
        let rows: Vec<Row> = rows
            .iter()
            .filter(|(other, _)| *other == setting)
            .map(|(_, row)| *row)
            .collect();
        if rows.is_empty() {
            continue;
        }
        let mut engine = Harness::<Engine>::new(setting);
        let mut c = c_side(setting);
        let measure = |row| {
            let c = c.as_mut().map(|c| &mut **c as &mut dyn Runner);
            compare::compare(setting, row, &mut engine, c, effort)
        };
        let comparisons: Vec<Comparison> = rows.into_iter().map(measure).collect();
        if !json {
            println!("\nblock {}, cache {}", setting.block, setting.cache);
            println!("{}", report::table(&comparisons));
        }
        all.extend(comparisons);
    }
    if json {
        println!("{}", report::json(&all)?);
    } else {
        println!("\n{}", report::summary(&all));
    }
    Ok(())
}

fn count_instructions(filter: &[String], profiles: Option<PathBuf>) -> Result<(), Box<dyn Error>> {
    let scratch = tempfile::tempdir()?;
    let folder = match profiles {
        Some(folder) => {
            std::fs::create_dir_all(&folder)?;
            folder
        }
        None => scratch.path().to_owned(),
    };
    println!("{}; instructions per run", report::versions());
    for (setting, row) in chosen(filter)? {
        let name = format!("{setting}/{row}");
        let count = |side: Side, suffix: &str| {
            let file = format!("{}.{suffix}", name.replace('/', "-"));
            instructions::count(setting, row, side, &folder.join(file))
        };
        let engine = count(Side::Engine, "engine")?;
        if c_side(setting).is_some() && row.has_c() {
            let c = count(Side::C, "c")?;
            let (whole, part) = (engine / c, engine % c * 1000 / c);
            println!("{name:42} C {c:12}  engine {engine:12}  ratio {whole}.{part:03}");
        } else {
            println!("{name:42} {:14}  engine {engine:12}", "");
        }
    }
    Ok(())
}

fn one(name: &str, side: Side, setting: Setting, times: u32) -> Result<(), Box<dyn Error>> {
    let row = Row::all()
        .into_iter()
        .find(|row| row.to_string() == name)
        .ok_or_else(|| format!("no row {name:?}; `list` names them, after the setting"))?;
    let mut runner: Box<dyn Runner> = match side {
        Side::Engine => Box::new(Harness::<Engine>::new(setting)),
        Side::C => c_side(setting).ok_or("built without the feature littlefs-c: no C side")?,
    };
    for _ in 0..times {
        let sample = runner.run(row);
        println!(
            "{setting}/{row}: {} operations, {:?}, {:?}",
            sample.operations, sample.time, sample.traffic
        );
    }
    Ok(())
}
