//! `lockwise rules`.

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::project::Project;
use crate::report::rules;
use crate::rule::{RuleInForce, Severity};
use crate::sql::ServerKind;

/// List the rules
///
/// Shows what lockwise looks for, how loud each rule is under the present configuration, and for
/// which servers. Policy rules are off until lockwise.toml switches them on.
#[derive(Debug, clap::Args)]
pub(super) struct RulesArgs {
    /// Only rules whose id or title contains this text
    text: Option<String>,
    /// Only rules for this server
    #[arg(long, value_name = "SERVER")]
    server: Option<ServerKind>,
    /// Only rules of this severity: error, warning or note
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    severity: Option<Severity>,
    /// Only rules that are on
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Only rules that are off
    #[arg(long)]
    off: bool,
    /// Form of the output
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

/// Forms of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A table.
    Text,
    /// One JSON object.
    Json,
}

fn severity(word: &str) -> Result<Severity, String> {
    Severity::from_word(word).ok_or_else(|| "use error, warning or note".to_owned())
}

/// Prints the rules that match.
pub(super) fn run(args: &RulesArgs, console: &mut Console) -> Result<Exit, Failure> {
    let set = Project::load(&console.global)?.rules()?;
    let matching: Vec<&RuleInForce> = set.iter().filter(|rule| args.matches(rule)).collect();
    match args.format {
        Format::Text => {
            rules::list(&matching, console.out.colors, &mut console.out)?;
            let on = matching.iter().filter(|rule| rule.enabled).count();
            console.note(&format!(
                "{} rules, {on} of them on; `lockwise explain RULE` tells more",
                matching.len()
            ));
        }
        Format::Json => rules::list_json(&matching, &mut console.out)?,
    }
    Ok(Exit::Yes)
}

impl RulesArgs {
    fn matches(&self, rule: &RuleInForce) -> bool {
        let text = self.text.as_deref().unwrap_or("").to_lowercase();
        let server = self.server.is_none_or(|server| rule.rule.servers.contains(&server));
        let severity = self.severity.is_none_or(|severity| rule.severity == severity);
        let state = (!self.on || rule.enabled) && (!self.off || !rule.enabled);
        let named = rule.rule.id.contains(&text) || rule.rule.title.to_lowercase().contains(&text);
        named && server && severity && state
    }
}
