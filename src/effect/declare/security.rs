//! Grants, policies, functions that run as their owner, extensions, types.

use super::Teller;
use crate::effect::TableState;
use crate::sql::ObjectName;
use crate::sql::ast::{
    AlterType, CreateDomain, CreateRoutine, CreateTrigger, CreateType, Extension, Grant,
    ObjectKind, Policy, TypeAction, TypeKind,
};

impl Teller<'_> {
    /// GRANT.
    pub(super) fn grant(&mut self, grant: &Grant) {
        if grant.revoke {
            return;
        }
        let names: Vec<String> = grant.names.iter().map(ToString::to_string).collect();
        let schemas: Vec<&str> = grant.all_in_schema.iter().map(|schema| schema.as_str()).collect();
        let name = if !names.is_empty() {
            names.join(", ")
        } else if !schemas.is_empty() {
            format!("{}.*", schemas.join(", "))
        } else {
            grant.grantees.join(", ")
        };
        let grantees = grant.grantees.join(", ");
        let all = grant.privileges.iter().any(|privilege| privilege.starts_with("all"));
        if all && grant.object != ObjectKind::Role {
            let value = format!("ALL to {grantees}");
            self.tell("grant-all", grant.object, name.clone(), &value);
        }
        if grant.grantees.iter().any(|grantee| grantee.eq_ignore_ascii_case("public")) {
            let value = format!("{} to PUBLIC", grant.privileges.join(", ").to_uppercase());
            self.tell("grant-to-public", grant.object, name.clone(), &value);
        }
        if grant.grant_option {
            let value = format!("WITH GRANT OPTION to {grantees}");
            self.tell("grant-option", grant.object, name, &value);
        }
    }

    /// CREATE POLICY, ALTER POLICY.
    pub(super) fn policy(&mut self, policy: &Policy) {
        let table = self.schema.resolve(&policy.table).to_string();
        let name = format!("{table}.{}", policy.name);
        let state = self.state(&policy.table);
        let object = ObjectKind::Policy;
        let always = |text: &str| text.trim_matches(['(', ')', ' ']).eq_ignore_ascii_case("true");
        let read = policy.using.as_ref().is_some_and(|expr| always(&expr.text));
        let write = policy.with_check.as_ref().is_some_and(|expr| always(&expr.text));
        // Everybody may read: often meant. Everybody may write: hardly ever.
        if write || (read && matches!(policy.command.as_str(), "all" | "update" | "delete")) {
            let command = policy.command.clone();
            self.add("policy-always-true", object, name.clone(), &command, None, state);
        }
        for expr in policy.using.iter().chain(&policy.with_check) {
            let per_row = expr.functions.iter().any(|function| {
                let name = function.to_string().to_ascii_lowercase();
                name.starts_with("auth.") || name == "current_setting"
            });
            if per_row && !expr.has_subquery {
                self.add("policy-calls-per-row", object, name.clone(), &expr.text, None, state);
                break;
            }
        }
        let on = self.schema.find(&policy.table).is_some_and(|found| found.row_security);
        let known = self.schema.find(&policy.table).is_some_and(|found| found.complete);
        if known && !on && !policy.alter {
            self.add("policy-without-row-security", object, name, "disabled", None, state);
        }
    }

    /// CREATE FUNCTION, CREATE PROCEDURE.
    pub(super) fn create_routine(&mut self, routine: &CreateRoutine) {
        let object = if routine.procedure { ObjectKind::Procedure } else { ObjectKind::Function };
        self.named("routine-name", object, &routine.name);
        let full = self.full(&routine.name).to_string();
        self.tell("stored-program", object, full.clone(), object.as_str());
        if routine.security_definer && !routine.sets_search_path && !self.kind().is_mysql_family() {
            self.tell("security-definer", object, full.clone(), "search_path");
        }
        if !routine.or_replace && !routine.if_not_exists && !routine.aggregate {
            self.tell("without-or-replace", object, full, object.as_str());
        }
        self.definer(object, &routine.name, routine.definer.as_deref());
    }

    /// CREATE TRIGGER.
    pub(super) fn create_trigger(&mut self, trigger: &CreateTrigger) {
        let object = ObjectKind::Trigger;
        let table = self.schema.resolve(&trigger.table).to_string();
        let state = self.state(&trigger.table);
        if let Some(name) = trigger.name.parts.last() {
            self.part("trigger-name", object, &table, name, state);
        }
        let full = format!("{table}.{}", trigger.name.name());
        self.add("stored-program", object, full.clone(), "trigger", None, state);
        let since_14 = self.schema.server.version.at_least(14, 0, 0);
        if !trigger.or_replace && !trigger.if_not_exists && since_14 && !trigger.constraint {
            self.add("without-or-replace", object, full, "trigger", None, state);
        }
    }

    /// DEFINER= (MySQL, MariaDB).
    pub(super) fn definer(&mut self, object: ObjectKind, name: &ObjectName, definer: Option<&str>) {
        if let Some(definer) = definer {
            self.tell("definer", object, name.to_string(), definer);
        }
    }

    /// CREATE EXTENSION, ALTER EXTENSION.
    pub(super) fn extension(&mut self, extension: &Extension) {
        let object = ObjectKind::Extension;
        let name = extension.name.value.clone();
        if extension.alter {
            return;
        }
        self.tell("create-extension", object, name.clone(), &name);
        let schema = extension.schema.as_ref().map_or("public", |schema| schema.as_str());
        self.tell("extension-schema", object, name, schema);
    }

    /// CREATE TYPE.
    pub(super) fn create_type(&mut self, create: &CreateType) {
        self.named("type-name", ObjectKind::Type, &create.name);
        if let TypeKind::Enum(values) = &create.kind {
            let full = self.full(&create.name).to_string();
            let count = u64::try_from(values.len()).ok();
            let state = TableState::NewEmpty;
            self.add("create-enum", ObjectKind::Type, full, "enum", count, state);
        }
    }

    /// ALTER TYPE … ADD VALUE.
    pub(super) fn alter_type(&mut self, alter: &AlterType) {
        for action in &alter.actions {
            if let TypeAction::AddValue { value, beside: None, .. } = action {
                let name = alter.name.to_string();
                self.tell("enum-value-without-position", ObjectKind::Type, name, value);
            }
        }
    }

    /// CREATE DOMAIN.
    pub(super) fn create_domain(&mut self, domain: &CreateDomain) {
        self.named("type-name", ObjectKind::Domain, &domain.name);
        if domain.not_null || !domain.checks.is_empty() {
            let full = self.full(&domain.name).to_string();
            self.tell("domain-constraint", ObjectKind::Domain, full, "CHECK");
        }
    }
}
