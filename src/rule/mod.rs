//! Opinions: rule files, what they match, and the findings that come of it.
//!
//! In: a migration, its effects, the rules in force. Out: findings. A rule is a TOML file in
//! `rules/` or one of the user's own, in the same form:
//!
//! | key | meaning |
//! |---|---|
//! | `id` | names what is found; the file's stem |
//! | `since` | the version of lockwise that had it first |
//! | `severity` | `error`, `warning`, `note` |
//! | `policy` | `true`: house style, off until switched on |
//! | `servers`, `versions` | `["postgres"]`, `versions = { postgres = ">=12, <17" }` |
//! | `title`, `message` | what was found; the message names it: `index build blocks writes to {table}` |
//! | `why`, `instead` | what hurts whom for how long; what to write |
//! | `leads` | `alone`: no head of a finding where another rule speaks of the clause; `never`: only a note under others |
//! | `once` | `table`, `migration`: one finding stands for all of its kind there |
//! | `aliases`, `known_as` | former ids; names in other linters: `squawk:ban-drop-table` |
//! | `[options]` | values with defaults that lockwise.toml may change; a match takes them as `"$name"` |
//! | `[match]`, `[[match]]` | conditions on one effect; several tables: any of them |
//! | `[[example]]` | `name`, `servers`, `version`, `transaction`, `rows`, `settings`, `given`, `bad`, `good` |
//!
//! Keys of a match, all of which must hold for the same effect:
//!
//! | key | values |
//! |---|---|
//! | `effect` | `lock`, `rewrite`, `scan`, `index-build`, `loss`, `break`, `failure`, `left-behind`, `declares`, `session`, `unknown` |
//! | `cause` | of locks, rewrites, scans and index builds: words of [`crate::effect::words::CAUSES`] |
//! | `how`, `when`, `what` | of breaks, failures, and of the others: words of the lists there |
//! | `blocks` | `reads`, `writes`, `writes-only`, `nothing`: the lock, or the locks on the same table |
//! | `during` | `instant`, `scan`, `index-build`, `rewrite` |
//! | `mode`, `held_until`, `index` | of a lock |
//! | `table` | `existing`, `new`, `filled`, `empty` |
//! | `object` | kind of object: `table`, `column`, `materialized view` |
//! | `rows_over`, `bytes_over` | size of the table; an unknown size counts as larger |
//! | `algorithm`, `online_lock`, `rebuilds` | MySQL and MariaDB: how the statement runs |
//! | `certain`, `cascade`, `rows`, `concurrent`, `in_transaction`, `lock_timeout`, `rows_known` | true or false |
//! | `beside` | another effect of the statement has this cause |
//! | `name_like`, `name_unlike`, `name_in`, `name_not_in` | the last part of the object's name |
//! | `value_like`, `value_unlike`, `value_in`, `value_not_in` | the value that is declared or set |
//! | `path_like`, `path_unlike` | the path of the file |
//! | `number_over`, `number_under` | the number that is declared |

mod kinds;
mod model;
mod read;
mod load;
mod builtin;
mod options;
mod set;
mod facts;
mod message;
mod matching;
mod finding;
mod suppress;
mod judge;
mod baseline;
pub mod fix;

pub use baseline::{BadBaseline, Baseline};
pub use builtin::BUILTIN;
pub use finding::{Finding, Judged, Note, Replacement, Suppressed};
pub use judge::{Bench, Case, JudgeOptions, facts_in_words, judge};
pub use load::load;
pub(crate) use load::option_value;
pub use message::fact;
pub use model::{Example, Match, OptionValue, Rule, Severity, VersionRange};
pub use read::RuleError;
pub(crate) use read::{Placed, Reader, Table};
pub use set::{Level, RuleInForce, RuleSet, RuleSettings, SettingError};
