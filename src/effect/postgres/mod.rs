//! What PostgreSQL does when it runs a statement.
//!
//! One file a kind of statement; each fills a [`sheet::Sheet`]. `types`, `functions` and `bounds`
//! hold what the server decides by: casts, volatility, partition bounds.
//!
//! PostgreSQL 12 to 18: the manual, the server's source and recordings (testdata/servers/postgres),
//! as each file says at its top and [`source`] for each effect.

mod alter_table;
mod bounds;
mod casts;
mod constraint;
mod column;
mod composite;
mod copy;
mod create;
mod create_refused;
mod dependents;
mod dml;
mod domain;
mod drop;
mod drop_column;
mod foreign_key;
mod foreign_table;
mod functions;
mod grant;
mod hash;
mod index;
mod index_as_table;
mod index_refused;
mod insert;
mod key;
mod literal;
mod maintenance;
mod method;
mod missing;
mod not_null;
mod object;
mod other;
mod part_index;
mod partition;
mod permits;
mod prune;
mod referential;
mod reloptions;
mod returned;
mod routine;
mod rule;
mod settings;
mod sheet;
mod source;
mod standing;
mod statistics;
mod table_refused;
mod target;
mod terms;
mod there;
mod trigger;
mod truncate;
mod type_change;
mod types;
mod view;
mod words;

use self::sheet::Sheet;
use super::{Context, StatementEffects};
use crate::schema::Schema;
use crate::sql::ast::{CreateSchema, Statement, StatementKind};

/// Returns the effects of one statement.
pub(super) fn effects(
    statement: &Statement,
    schema: &Schema,
    context: &Context,
) -> StatementEffects {
    let mut sheet = Sheet::new(schema, context, statement.span);
    statement_effects(&mut sheet, statement);
    sheet.finish()
}

fn statement_effects(sheet: &mut Sheet<'_>, statement: &Statement) {
    match &statement.kind {
        StatementKind::CreateTable(table) => create::table(sheet, table),
        StatementKind::AlterTable(table) => alter_table::alter(sheet, table),
        StatementKind::CreateIndex(index) => index::create(sheet, index),
        StatementKind::AlterIndex(index) => index::alter(sheet, index),
        StatementKind::Reindex(reindex) => index::reindex(sheet, reindex),
        StatementKind::Drop(drop) => drop::drop(sheet, drop),
        StatementKind::Rename(rename) => object::rename(sheet, rename),
        StatementKind::SetSchema(set) => object::set_schema(sheet, set),
        StatementKind::OwnerTo(owner) => object::owner_to(sheet, owner),
        StatementKind::Comment(comment) => object::comment(sheet, comment),
        StatementKind::Grant(grant) => grant::grant(sheet, grant),
        StatementKind::CreateView(view) => create::view(sheet, view),
        StatementKind::RefreshMaterializedView(refresh) => maintenance::refresh(sheet, refresh),
        StatementKind::CreateSequence(sequence) => object::create_sequence(sheet, sequence),
        StatementKind::AlterSequence(sequence) => object::alter_sequence(sheet, sequence),
        StatementKind::CreateType(create) => domain::create_type(sheet, create),
        StatementKind::AlterType(alter) => domain::alter_type(sheet, alter),
        StatementKind::CreateDomain(domain) => domain::create(sheet, domain),
        StatementKind::AlterDomain(domain) => domain::alter(sheet, domain),
        StatementKind::CreateRoutine(routine) => routine::create_routine(sheet, routine),
        StatementKind::AlterRoutine(routine) => routine::alter_routine(sheet, routine),
        StatementKind::CreateTrigger(trigger) => trigger::create_trigger(sheet, trigger),
        StatementKind::CreateRule(rule) => rule::create_rule(sheet, rule),
        StatementKind::Policy(policy) => trigger::policy(sheet, policy),
        StatementKind::CreateSchema(create) => {
            if !object::schema_is_taken(sheet, create) {
                schema_elements(sheet, create);
            }
        }
        StatementKind::Extension(extension) => object::extension(sheet, extension),
        StatementKind::Publication(publication) => object::publication(sheet, publication),
        StatementKind::Statistics(statistics) => statistics::statistics(sheet, statistics),
        StatementKind::Do(block) => object::block(sheet, block),
        StatementKind::Truncate(truncate) => truncate::truncate(sheet, truncate),
        StatementKind::Dml(dml) => dml::dml(sheet, dml, dml::Use::Run),
        StatementKind::Copy(copy) => copy::copy(sheet, copy),
        StatementKind::Lock(lock) => maintenance::lock(sheet, lock),
        StatementKind::Maintenance(maintenance) => maintenance::run(sheet, maintenance),
        StatementKind::Call { .. } => sheet.unknown("what a procedure does is not known"),
        StatementKind::Explain { analyze, statement } => {
            if *analyze {
                statement_effects(sheet, statement);
            } else {
                object::explain(sheet, statement);
            }
        }
        StatementKind::Other(other) => other::other(sheet, other),
        StatementKind::Unknown { reason, .. } => sheet.unknown(reason.clone()),
        StatementKind::Transaction(_)
        | StatementKind::Set(_)
        | StatementKind::SetStatement { .. }
        | StatementKind::CreateEvent(_)
        | StatementKind::Pragma(_) => {}
    }
}

/// The elements of CREATE SCHEMA run one after the other, in the new schema.
fn schema_elements(sheet: &mut Sheet<'_>, create: &CreateSchema) {
    if create.elements.is_empty() {
        return;
    }
    let mut inside = sheet.schema.clone();
    if let Some(name) = &create.name {
        inside.search_path.insert(0, name.value.clone());
    }
    for element in &create.elements {
        let found = effects(element, &inside, sheet.context);
        sheet.absorb(found);
        inside.apply(element);
    }
}
