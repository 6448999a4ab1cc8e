//! One node of a case: its arguments and properties, each asked for by name.

use super::source::{Source, is_plain};
use super::{Beside, CaseError};
use crate::op::Value;
use cutpoint_engine::Key;
use kdl::{KdlEntry, KdlNode, KdlValue};
use std::fmt::Display;
use std::str::FromStr;

/// The most bytes of a value: what a case means has to fit into memory.
pub(super) const VALUE_MAX: u32 = 1 << 22;

/// What is left of a node while it is read.
pub(super) struct Line<'a> {
    source: Source<'a>,
    node: &'a KdlNode,
    arguments: Vec<&'a KdlEntry>,
    properties: Vec<(&'a str, &'a KdlEntry)>,
    /// The properties that were asked for.
    known: Vec<&'static str>,
}

impl<'a> Line<'a> {
    /// # Errors
    ///
    /// A property stands there twice.
    pub(super) fn new(source: Source<'a>, node: &'a KdlNode) -> Result<Self, CaseError> {
        let mut line = Self {
            source,
            node,
            arguments: Vec::new(),
            properties: Vec::new(),
            known: Vec::new(),
        };
        if let Some(ty) = node.ty() {
            let what = format!("'{}' needs no type", node.name().value());
            return Err(source.error(
                ty.span().offset(),
                what,
                "leave out what is in the parentheses",
            ));
        }
        for entry in node.entries() {
            match entry.name() {
                None => line.arguments.push(entry),
                Some(name) => {
                    let name = name.value();
                    if line.properties.iter().any(|&(other, _)| other == name) {
                        return Err(line.at(
                            entry,
                            format!("'{name}' stands here twice"),
                            "leave one out",
                        ));
                    }
                    line.properties.push((name, entry));
                }
            }
        }
        line.arguments.reverse();
        Ok(line)
    }

    /// The word that it begins with.
    pub(super) fn word(&self) -> &'a str {
        self.node.name().value()
    }

    /// Where it begins in the text.
    pub(super) fn offset(&self) -> usize {
        self.node.span().offset()
    }

    /// What is wrong with all of it.
    pub(super) fn error(&self, what: impl Into<String>, remedy: impl Into<String>) -> CaseError {
        self.source.error(self.offset(), what, remedy)
    }

    fn at(
        &self,
        entry: &KdlEntry,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> CaseError {
        self.source.error(entry.span().offset(), what, remedy)
    }

    /// The lines in its block.
    pub(super) fn children(&self) -> Result<Vec<Line<'a>>, CaseError> {
        let nodes = self.node.children().map_or(&[][..], |block| block.nodes());
        nodes
            .iter()
            .map(|node| Line::new(self.source, node))
            .collect()
    }

    /// Everything on it has been read.
    ///
    /// # Errors
    ///
    /// Something is left.
    pub(super) fn end(self) -> Result<(), CaseError> {
        if let Some(block) = self.node.children() {
            let what = format!("'{}' takes no block", self.word());
            return Err(self.source.error(
                block.span().offset(),
                what,
                "write each operation on a line of its own",
            ));
        }
        self.end_before_block()
    }

    /// As [`end`](Self::end), of a node that may have a block.
    pub(super) fn end_before_block(self) -> Result<(), CaseError> {
        if let Some(entry) = self.arguments.last() {
            let what = format!("there is too much for '{}'", self.word());
            return Err(self.at(entry, what, "leave out what begins here"));
        }
        self.no_other_properties()
    }

    fn no_other_properties(&self) -> Result<(), CaseError> {
        let Some((name, entry)) = self.properties.first() else {
            return Ok(());
        };
        let what = format!("'{name}' is no property of '{}'", self.word());
        let remedy = match self.known.as_slice() {
            [] => "it has none".into(),
            known => format!("there are {}", known.join(", ")),
        };
        Err(self.at(entry, what, remedy))
    }

    fn argument(&mut self, what: &str) -> Result<&'a KdlEntry, CaseError> {
        self.arguments.pop().ok_or_else(|| {
            let missing = format!("'{}' lacks {what}", self.word());
            self.error(missing, "docs/case-format.md shows each line in full")
        })
    }

    fn property(&mut self, name: &'static str) -> Option<&'a KdlEntry> {
        self.known.push(name);
        let place = self
            .properties
            .iter()
            .position(|&(other, _)| other == name)?;
        Some(self.properties.remove(place).1)
    }

    fn required(&mut self, name: &'static str) -> Result<&'a KdlEntry, CaseError> {
        self.property(name).ok_or_else(|| {
            self.error(
                format!("'{}' lacks {name}=", self.word()),
                format!("add {name}=N at its end"),
            )
        })
    }

    /// A text without invisible characters.
    fn plain(&self, entry: &'a KdlEntry) -> Result<&'a str, CaseError> {
        self.untyped(entry)?;
        let text = entry.value().as_string().ok_or_else(|| {
            self.at(
                entry,
                format!("{} is no text", entry.value()),
                "put it in double quotes",
            )
        })?;
        if !is_plain(text) {
            let what = "the text has a line break, another invisible character, '/-' or '/*'";
            return Err(self.at(
                entry,
                what,
                "leave it out; keys and values can be written in hexadecimal",
            ));
        }
        Ok(text)
    }

    fn untyped(&self, entry: &KdlEntry) -> Result<(), CaseError> {
        match entry.ty() {
            None => Ok(()),
            Some(ty) => {
                let what = format!("'({})' has no meaning here", ty.value());
                Err(self.at(
                    entry,
                    what,
                    "leave it out; only keys and values can be (hex)",
                ))
            }
        }
    }

    /// The next argument: a text.
    pub(super) fn text(&mut self, what: &str) -> Result<&'a str, CaseError> {
        let entry = self.argument(what)?;
        self.plain(entry)
    }

    /// The next argument: a name of small letters, digits and hyphens.
    pub(super) fn name(&mut self, what: &str) -> Result<String, CaseError> {
        let entry = self.argument(what)?;
        self.name_of(entry)
    }

    /// This property, a name; none where it is not there.
    pub(super) fn name_property(
        &mut self,
        name: &'static str,
    ) -> Result<Option<String>, CaseError> {
        let entry = self.property(name);
        entry.map(|entry| self.name_of(entry)).transpose()
    }

    fn name_of(&self, entry: &'a KdlEntry) -> Result<String, CaseError> {
        let name = self.plain(entry)?;
        let in_names = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(in_names) {
            let remedy = "write small letters, digits and hyphens, a letter first";
            return Err(self.at(entry, format!("'{name}' is no name"), remedy));
        }
        Ok(name.to_owned())
    }

    /// The next argument: prose, whose lines may be broken anywhere.
    pub(super) fn prose(&mut self, what: &str) -> Result<String, CaseError> {
        let entry = self.argument(what)?;
        self.untyped(entry)?;
        let text = entry.value().as_string().unwrap_or_default();
        let words: Vec<&str> = text.split_whitespace().collect();
        let prose = words.join(" ");
        if prose.is_empty() || !is_plain(&prose) {
            let what = format!("this is no {what}");
            return Err(self.at(
                entry,
                what,
                "write a text in double quotes, without '/-', '/*' or invisible characters",
            ));
        }
        Ok(prose)
    }

    /// The next argument, parsed from its text.
    pub(super) fn parsed<T: FromStr<Err: Display>>(&mut self, what: &str) -> Result<T, CaseError> {
        let entry = self.argument(what)?;
        self.parse(entry, what)
    }

    fn parse<T: FromStr<Err: Display>>(
        &self,
        entry: &'a KdlEntry,
        what: &str,
    ) -> Result<T, CaseError> {
        // An id of digits alone reads as a number.
        self.untyped(entry)?;
        let number = entry.value().as_integer().map(|number| number.to_string());
        let text = match &number {
            Some(number) => number,
            None => self.plain(entry)?,
        };
        text.parse().map_err(|error: T::Err| {
            self.at(entry, error.to_string(), format!("write {what} here"))
        })
    }

    /// Whether there are more arguments.
    pub(super) fn has_more(&self) -> bool {
        !self.arguments.is_empty()
    }

    /// This property, parsed from its text.
    pub(super) fn parsed_required<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Result<T, CaseError> {
        let entry = self.required(name)?;
        self.parse(entry, name)
    }

    /// This property, a text; none where it is not there.
    pub(super) fn text_property(
        &mut self,
        name: &'static str,
    ) -> Result<Option<&'a str>, CaseError> {
        let entry = self.property(name);
        entry.map(|entry| self.plain(entry)).transpose()
    }

    /// This property, a number; none where it is not there.
    pub(super) fn number_property<T: TryFrom<i128>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, CaseError> {
        let entry = self.property(name);
        entry.map(|entry| self.number_of(entry)).transpose()
    }

    /// This property, a number.
    pub(super) fn number<T: TryFrom<i128>>(&mut self, name: &'static str) -> Result<T, CaseError> {
        let entry = self.required(name)?;
        self.number_of(entry)
    }

    /// This property, as many bytes as a value can have.
    pub(super) fn length(&mut self, name: &'static str) -> Result<u32, CaseError> {
        let entry = self.required(name)?;
        self.length_of(entry)
    }

    fn length_of(&self, entry: &KdlEntry) -> Result<u32, CaseError> {
        let length = self.number_of(entry)?;
        if length > VALUE_MAX {
            let what = format!("{length} bytes are too many for a value");
            return Err(self.at(entry, what, format!("write at most {VALUE_MAX}")));
        }
        Ok(length)
    }

    /// The next argument: a number.
    pub(super) fn number_argument<T: TryFrom<i128>>(&mut self, what: &str) -> Result<T, CaseError> {
        let entry = self.argument(what)?;
        self.number_of(entry)
    }

    fn number_of<T: TryFrom<i128>>(&self, entry: &KdlEntry) -> Result<T, CaseError> {
        self.untyped(entry)?;
        let number = entry.value().as_integer();
        number
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| {
                let bits = 8 * size_of::<T>();
                let what = format!("{} is no whole number of {bits} bits", entry.value());
                self.at(entry, what, "write one from 0 on")
            })
    }

    /// The next argument: a key.
    pub(super) fn key(&mut self) -> Result<Key, CaseError> {
        let entry = self.argument("a key")?;
        Ok(Key::new(self.bytes(entry)?))
    }

    /// A text, or bytes in hexadecimal.
    fn bytes(&self, entry: &'a KdlEntry) -> Result<Vec<u8>, CaseError> {
        if entry.ty().is_none_or(|ty| ty.value() != "hex") {
            return self.plain(entry).map(|text| text.as_bytes().to_vec());
        }
        let KdlValue::String(digits) = entry.value() else {
            let what = format!("{} is no text", entry.value());
            return Err(self.at(entry, what, "put the digits in double quotes"));
        };
        hex::decode(digits).map_err(|error| {
            let what = format!(
                "these are no bytes in hexadecimal: {}",
                error.to_string().to_lowercase()
            );
            self.at(entry, what, "write two digits for each byte")
        })
    }

    /// What a set writes, in one of its forms.
    pub(super) fn value(&mut self, beside: &dyn Beside) -> Result<Value, CaseError> {
        let length = self.property("length");
        let length = length.map(|entry| self.length_of(entry)).transpose()?;
        let seed = self.number_property("seed")?;
        let byte = self.number_property("byte")?;
        let file = self.property("file");
        let literal = self.arguments.pop();
        match (literal, length, seed, byte, file) {
            (Some(entry), None, None, None, None) => self.bytes(entry).map(Value::literal),
            (None, Some(length), Some(seed), None, None) => Ok(Value::Generated { length, seed }),
            (None, Some(length), None, Some(byte), None) => Ok(Value::Repeated { length, byte }),
            (None, None, None, None, Some(entry)) => {
                let name = self.plain(entry)?;
                let bytes = beside.file(name).map_err(|error| {
                    let what = format!("cannot read '{name}': {error}");
                    self.at(entry, what, "put the file beside the case")
                })?;
                Ok(Value::File {
                    name: name.into(),
                    bytes: bytes.into(),
                })
            }
            _ => {
                self.no_other_properties()?;
                Err(self.error(
                    format!("'{}' needs its bytes in one form", self.word()),
                    "write \"text\", (hex)\"00ff\", length=N seed=N, length=N byte=N, or file=\"NAME\"",
                ))
            }
        }
    }
}
