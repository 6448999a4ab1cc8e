//! What a misspelt name may have meant.

use strsim::jaro_winkler;

/// How alike two names must be, from 0 to 1: one or two letters wrong, missing, more or swapped.
const ALIKE: f64 = 0.85;

/// A question to put behind an error, or nothing: the name out of `names` that is most like `given`.
pub(super) fn did_you_mean<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let alike = names
        .into_iter()
        .map(|name| (jaro_winkler(given, name), name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    alike.map_or_else(String::new, |(_, name)| format!("; did you mean '{name}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_wrong_is_understood_and_another_name_is_not() {
        let names = ["sector-512", "nor-flash", "emmc", "rename-512"];
        for (given, meant) in [
            ("sector-521", "sector-512"),
            ("norflash", "nor-flash"),
            ("emc", "emmc"),
            ("renam-512", "rename-512"),
        ] {
            let expected = format!("; did you mean '{meant}'?");
            assert_eq!(did_you_mean(given, names), expected);
        }
        assert_eq!(did_you_mean("xyz", names), "");
    }
}
