//! `lockwise explain`.

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::project::Project;
use crate::report::rules;
use crate::rule::{RuleInForce, RuleSet};

/// Explain a rule
///
/// Prints why the rule exists, what to write instead, its options, and the examples its tests run.
/// Names of other linters are understood too, for example squawk:ban-drop-table.
#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// Rule to explain
    rule: String,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
}

/// Prints the rule.
pub(super) fn run(args: &ExplainArgs, console: &mut Console) -> Result<Exit, Failure> {
    let set = Project::load(&console.global)?.rules()?;
    let rule = find(&set, &args.rule)?;
    match args.format {
        Format::Text => rules::explain(rule, console.out.colors, &mut console.out)?,
        Format::Json => rules::explain_json(rule, &mut console.out)?,
    }
    Ok(Exit::Yes)
}

/// Finds a rule by its id, a former one, or its name elsewhere.
pub(super) fn find<'s>(set: &'s RuleSet, name: &str) -> Result<&'s RuleInForce, Failure> {
    let elsewhere = || {
        set.iter().find(|rule| {
            rule.rule.known_as.iter().any(|known| {
                known == name || known.split_once(':').is_some_and(|(_, own)| own == name)
            })
        })
    };
    set.get(name).or_else(elsewhere).ok_or_else(|| {
        let failure = Failure::new(format!("there is no rule \"{name}\""));
        let ids = set.iter().flat_map(|rule| rule.rule.names());
        match crate::sql::nearest(name, ids).as_slice() {
            [] => failure.hint("run `lockwise rules` for the list"),
            near => failure.hint(format!("write {}", near.join(" or "))),
        }
    })
}
