//! Puts the values of options into a rule's conditions.

use std::collections::BTreeMap;

use super::model::{Match, Number, OptionValue, Pattern, TextMatch, Words};

type Options = BTreeMap<String, OptionValue>;

impl Match {
    /// Returns the conditions with every `$option` replaced; a value that does not fit is told.
    pub(super) fn resolve(&self, options: &Options) -> Result<Self, String> {
        Ok(Self {
            rows_over: number(self.rows_over.as_ref(), options)?,
            bytes_over: number(self.bytes_over.as_ref(), options)?,
            number_over: number(self.number_over.as_ref(), options)?,
            number_under: number(self.number_under.as_ref(), options)?,
            name: text(&self.name, options)?,
            value: text(&self.value, options)?,
            path: text(&self.path, options)?,
            ..self.clone()
        })
    }
}

fn number(number: Option<&Number>, options: &Options) -> Result<Option<Number>, String> {
    match number {
        Some(Number::Option(name)) => match options.get(name) {
            Some(OptionValue::Number(number)) => Ok(Some(Number::Fixed(*number))),
            found => Err(misfit(name, "a number", found)),
        },
        Some(Number::Fixed(number)) => Ok(Some(Number::Fixed(*number))),
        None => Ok(None),
    }
}

fn text(text: &TextMatch, options: &Options) -> Result<TextMatch, String> {
    Ok(TextMatch {
        like: pattern(text.like.as_ref(), options)?,
        unlike: pattern(text.unlike.as_ref(), options)?,
        one_of: words(text.one_of.as_ref(), options)?,
        none_of: words(text.none_of.as_ref(), options)?,
    })
}

fn pattern(pattern: Option<&Pattern>, options: &Options) -> Result<Option<Pattern>, String> {
    let Some(Pattern::Option(name)) = pattern else { return Ok(pattern.cloned()) };
    match options.get(name) {
        Some(OptionValue::Text(text)) => match regex(text) {
            Ok(regex) => Ok(Some(Pattern::Fixed(regex))),
            Err(error) => {
                let line = error.to_string().lines().last().unwrap_or_default().to_owned();
                Err(format!("the option {name} is no regular expression: {line}"))
            }
        },
        found => Err(misfit(name, "a regular expression", found)),
    }
}

fn words(words: Option<&Words>, options: &Options) -> Result<Option<Words>, String> {
    let Some(Words::Option(name)) = words else { return Ok(words.cloned()) };
    match options.get(name) {
        Some(OptionValue::List(list)) => Ok(Some(Words::Fixed(list.clone()))),
        Some(OptionValue::Text(word)) => Ok(Some(Words::Fixed(vec![word.clone()]))),
        found => Err(misfit(name, "a list of texts", found)),
    }
}

fn misfit(name: &str, wanted: &str, found: Option<&OptionValue>) -> String {
    match found {
        Some(found) => format!("the option {name} is {wanted}, not {}", found.kind()),
        None => format!("the option {name} has no value"),
    }
}

/// Reads a regular expression. `(?i)` is about ASCII letters: the tables for all others are left
/// out of the program.
pub(super) fn regex(text: &str) -> Result<regex::Regex, regex::Error> {
    let whole = regex::Regex::new(text);
    whole.or_else(|error| {
        let ascii = regex::RegexBuilder::new(text).unicode(false).build();
        ascii.map_err(|_| error)
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn expressions_without_regard_to_case() {
        assert!(super::regex("(?i)^tbl").is_ok_and(|found| found.is_match("TBL_orders")));
        assert!(super::regex("^\\d+$").is_ok_and(|found| found.is_match("12")));
        assert!(super::regex("(").is_err());
    }
}
