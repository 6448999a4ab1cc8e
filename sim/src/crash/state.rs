use super::Tear;
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The id of a crash state: which of a trace's writes a power cut left on the medium, and what is left of the others.
///
/// It prints as a short text that reads back to the same id, and a state has one text:
///
/// | text | what reached the medium |
/// | --- | --- |
/// | `117` | the first 117 writes (0 to 116), whole, and no other |
/// | `117~3/16` | the first 117 writes whole, and of write 117 the first 3 units of 16 bytes |
/// | `120-{117,118}` | the first 120 writes but 117 and 118 |
/// | `120-{117~-1/16,118}` | as before, but of write 117 the last unit of 16 bytes did |
/// | `117/4` | the first 117 writes; and of those that recovery from that made, the first 4 |
///
/// Behind the `~` stands what is left of a torn write, by units of the size behind the slash, which lie at multiples of
/// it in the block: `3` the first 3, `-3` the last 3, `!3` all but unit 3, `3?` the first 3 and anything in the next,
/// `z3` (an erase) nothing but that the last 3 are zeroed, `=0.2` units 0 and 2.
///
/// An id belongs to one trace.
///
/// ```
/// use cutpoint::crash::{CrashState, ParseStateError};
///
/// let state: CrashState = "117".parse()?;
/// assert_eq!(state, CrashState::prefix(117));
/// assert_eq!(state.to_string(), "117");
/// assert!("120-{117~-1/16,118}".parse::<CrashState>()?.issued() == 120);
/// assert_eq!("007".parse::<CrashState>(), Err(ParseStateError("007".into())));
/// # Ok::<(), ParseStateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrashState {
    /// Writes from this number on were not issued, or are lost all the same.
    issued: u32,
    /// What is not whole before that, by ascending number. The last write issued is not lost.
    flaws: Vec<(u32, Flaw)>,
    /// What a further cut has left of the writes that recovery from this state made.
    then: Option<Box<CrashState>>,
}

/// What is wrong with a write that was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Flaw {
    /// Nothing of it reached the medium.
    Lost,
    /// Part of it did.
    Torn(Tear),
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// All of it reached the medium.
    Persisted,
    /// Nothing of it did.
    Lost,
    /// Part of it did.
    Torn(Tear),
}

impl CrashState {
    /// The state in which the first `persisted` writes reached the medium and no other did.
    pub const fn prefix(persisted: u32) -> Self {
        Self {
            issued: persisted,
            flaws: Vec::new(),
            then: None,
        }
    }

    /// The state in which the first `issued` writes reached the medium but for the `flaws`, given by ascending number.
    ///
    /// # Panics
    ///
    /// Where a flaw is of a write that was not issued, or their numbers do not ascend.
    pub fn with_flaws(mut issued: u32, mut flaws: Vec<(u32, Flaw)>) -> Self {
        assert!(flaws.is_sorted_by(|a, b| a.0 < b.0), "{flaws:?}");
        assert!(
            flaws.last().is_none_or(|&(write, _)| write < issued),
            "{flaws:?}"
        );
        // Lost at the end is the same as never issued.
        while let Some(&(write, Flaw::Lost)) = flaws.last()
            && write + 1 == issued
        {
            flaws.pop();
            issued -= 1;
        }
        Self {
            issued,
            flaws,
            then: None,
        }
    }

    /// The state that is left where recovery from this one is cut in turn, and this is left of what it wrote.
    #[must_use]
    pub fn and_then(mut self, cut: Self) -> Self {
        self.then = Some(Box::new(match self.then {
            Some(then) => then.and_then(cut),
            None => cut,
        }));
        self
    }

    /// What a further cut has left of the writes that recovery from this state made; none where there was no further cut.
    pub fn then(&self) -> Option<&Self> {
        self.then.as_deref()
    }

    /// The state before any further cut.
    #[must_use]
    pub fn first_cut(&self) -> Self {
        Self {
            then: None,
            ..self.clone()
        }
    }

    /// How many power cuts there were: 1 where recovery was not cut in turn.
    pub fn cuts(&self) -> u32 {
        1 + self.then().map_or(0, Self::cuts)
    }

    /// The same before any further cut, but with another fate of one write.
    ///
    /// Writes in between that were not issued are lost. A write that is lost at the end was not issued.
    #[must_use]
    pub fn with_fate(&self, write: u32, fate: Fate) -> Self {
        let issued = self.issued.max(write + 1);
        let mut flaws: Vec<_> = self.flaws.clone();
        flaws.extend((self.issued..issued).map(|between| (between, Flaw::Lost)));
        flaws.retain(|&(number, _)| number != write);
        let flaw = match fate {
            Fate::Persisted => None,
            Fate::Lost => Some(Flaw::Lost),
            Fate::Torn(tear) => Some(Flaw::Torn(tear)),
        };
        if let Some(flaw) = flaw {
            let place = flaws.partition_point(|&(number, _)| number < write);
            flaws.insert(place, (write, flaw));
        }
        Self::with_flaws(issued, flaws)
    }

    /// One more than the number of the last write of which anything reached the medium.
    pub fn issued(&self) -> u32 {
        self.issued
    }

    /// What is not whole of the writes issued, by ascending number.
    pub fn flaws(&self) -> &[(u32, Flaw)] {
        &self.flaws
    }

    /// What became of the write with this number.
    pub fn fate(&self, write: u32) -> Fate {
        if write >= self.issued {
            return Fate::Lost;
        }
        match self
            .flaws
            .binary_search_by_key(&write, |&(number, _)| number)
        {
            Ok(place) => match self.flaws[place].1 {
                Flaw::Lost => Fate::Lost,
                Flaw::Torn(tear) => Fate::Torn(tear),
            },
            Err(_) => Fate::Persisted,
        }
    }
}

impl fmt::Display for CrashState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.flaws.as_slice() {
            [] => self.issued.fmt(f),
            [(write, Flaw::Torn(tear))] if write + 1 == self.issued => write!(f, "{write}~{tear}"),
            flaws => {
                write!(f, "{}-{{", self.issued)?;
                for (place, (write, flaw)) in flaws.iter().enumerate() {
                    let comma = if place > 0 { "," } else { "" };
                    write!(f, "{comma}{write}")?;
                    if let Flaw::Torn(tear) = flaw {
                        write!(f, "~{tear}")?;
                    }
                }
                f.write_str("}")
            }
        }?;
        match &self.then {
            Some(then) => write!(f, "/{then}"),
            None => Ok(()),
        }
    }
}

impl Serialize for CrashState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text is no id of a crash state as ids print.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "'{0}' is no crash state: a number of writes such as 117 is needed, or a form such as 117~3/16 or 120-{{117,118}}"
)]
pub struct ParseStateError(pub String);

impl FromStr for CrashState {
    type Err = ParseStateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text)
            // One state, one text: 007 is not 7.
            .filter(|state| state.to_string() == text)
            .ok_or_else(|| ParseStateError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<CrashState> {
    let Some((first, then)) = split(text) else {
        return parse_one(text);
    };
    Some(parse_one(first)?.and_then(parse(then)?))
}

/// The part before the first slash that stands between two cuts, and the part behind it. Others belong to a torn write.
fn split(text: &str) -> Option<(&str, &str)> {
    let (mut braces, mut tear) = (false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => braces = true,
            b'}' => braces = false,
            b'~' => tear = !braces,
            b'/' if braces => {}
            b'/' if tear => tear = false,
            b'/' => return Some((&text[..place], &text[place + 1..])),
            _ => {}
        }
    }
    None
}

fn parse_one(text: &str) -> Option<CrashState> {
    if let Some((issued, flaws)) = text.split_once("-{") {
        let issued = issued.parse().ok()?;
        let flaws = flaws.strip_suffix('}')?.split(',').map(parse_flaw);
        let flaws: Vec<_> = flaws.collect::<Option<_>>()?;
        let ascend = flaws.is_sorted_by(|a, b| a.0 < b.0);
        let inside = flaws.last().is_some_and(|&(write, _)| write < issued);
        return (ascend && inside).then(|| CrashState::with_flaws(issued, flaws));
    }
    match parse_flaw(text)? {
        (persisted, Flaw::Lost) => Some(CrashState::prefix(persisted)),
        (write, torn) => Some(CrashState::with_flaws(
            write.checked_add(1)?,
            vec![(write, torn)],
        )),
    }
}

fn parse_flaw(text: &str) -> Option<(u32, Flaw)> {
    match text.split_once('~') {
        None => Some((text.parse().ok()?, Flaw::Lost)),
        Some((write, tear)) => Some((write.parse().ok()?, Flaw::Torn(Tear::parse(tear)?))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::Reached;
    use proptest::prelude::*;

    fn tear() -> impl Strategy<Value = Tear> {
        let reached = prop_oneof![
            any::<u32>().prop_map(Reached::First),
            any::<u32>().prop_map(Reached::Last),
            any::<u32>().prop_map(Reached::AllBut),
            any::<u32>().prop_map(Reached::Spoiled),
            any::<u32>().prop_map(Reached::ZeroedTail),
            (1..u16::MAX).prop_map(Reached::Set),
        ];
        (1..5000_u32, reached).prop_map(|(unit, reached)| Tear { unit, reached })
    }

    fn state() -> impl Strategy<Value = CrashState> {
        let flaw = prop_oneof![Just(Flaw::Lost), tear().prop_map(Flaw::Torn)];
        let flaws = prop::collection::btree_map(0..1000_u32, flaw, 0..5);
        (flaws, 1000..1010_u32)
            .prop_map(|(flaws, issued)| CrashState::with_flaws(issued, flaws.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn reads_what_it_prints(state in state(), persisted: u32, then in prop::collection::vec(state(), 0..3)) {
            let nested = then.into_iter().fold(state.clone(), CrashState::and_then);
            prop_assert_eq!(nested.to_string().parse(), Ok(nested));
            prop_assert_eq!(state.to_string().parse(), Ok(state));
            let state = CrashState::prefix(persisted);
            prop_assert_eq!(state.to_string().parse(), Ok(state));
        }

        #[test]
        fn takes_only_what_it_prints(text in "[0-9~/{},+ !?z=.-]{0,14}") {
            if let Ok(state) = text.parse::<CrashState>() {
                prop_assert_eq!(state.to_string(), text);
            }
        }
    }

    #[test]
    fn the_fate_of_one_write_changes() {
        let torn = Fate::Torn(Tear::parse("3/16").unwrap());
        for (state, write, fate, expected) in [
            ("9", 8, Fate::Lost, "8"),
            ("9", 4, Fate::Lost, "9-{4}"),
            ("9-{7}", 8, Fate::Lost, "7"),
            ("9", 11, Fate::Persisted, "12-{9,10}"),
            ("9-{4}", 4, Fate::Persisted, "9"),
            ("9-{4,6}", 5, torn, "9-{4,5~3/16,6}"),
            ("8~3/16", 8, Fate::Persisted, "9"),
        ] {
            let state: CrashState = state.parse().unwrap();
            let changed = state.with_fate(write, fate);
            assert_eq!(changed.to_string(), expected);
            assert_eq!(changed.fate(write), fate);
        }
        assert_eq!("9/3~1/4/2".parse::<CrashState>().unwrap().cuts(), 3);
    }

    #[test]
    fn one_state_has_one_text() {
        let lost_at_the_end = CrashState::with_flaws(9, vec![(5, Flaw::Lost), (8, Flaw::Lost)]);
        assert_eq!(lost_at_the_end.to_string(), "8-{5}");
        let torn = Flaw::Torn(Tear::parse("3/16").unwrap());
        assert_eq!(
            CrashState::with_flaws(8, vec![(7, torn)]).to_string(),
            "7~3/16"
        );
        for text in [
            "",
            "x",
            "-1",
            "+1",
            "1 ",
            "007",
            "~3",
            "1.5",
            "4294967296",
            "8-{7~3/16}",
            "9-{}",
            "9-{8}",
            "9-{5,4}",
            "9-{9}",
            "7~3",
            "7~3/0",
            "7~=1.0/4",
        ] {
            assert_eq!(
                text.parse::<CrashState>(),
                Err(ParseStateError(text.into())),
                "{text}"
            );
        }
    }
}
