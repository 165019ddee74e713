//! Fixes as code actions.

use lsp_types::{
    CodeAction, CodeActionKind, CodeActionOrCommand, CodeActionParams, CreateFile,
    DocumentChangeOperation, DocumentChanges, OneOf, OptionalVersionedTextDocumentIdentifier,
    Position, Range, ResourceOp, TextDocumentEdit, TextEdit, Uri, WorkspaceEdit,
};

use super::document::Judgement;
use super::text;
use crate::rule::fix::{FileEdit, Fix, FixedMigration, files};
use crate::sql::Span;

/// Returns the fixes of the statements in the range that the editor asks about.
pub(super) fn actions(
    judgement: &Judgement,
    params: &CodeActionParams,
) -> Vec<CodeActionOrCommand> {
    let source = &judgement.migration.up.section.source;
    let asked =
        Span::new(text::offset(source, params.range.start), text::offset(source, params.range.end));
    let touched = |fix: &&Fix| fix.span.start <= asked.end && asked.start <= fix.span.end;
    judgement
        .fixes
        .iter()
        .filter(touched)
        .filter_map(|fix| action(judgement, params, fix))
        .collect()
}

fn action(
    judgement: &Judgement,
    params: &CodeActionParams,
    fix: &Fix,
) -> Option<CodeActionOrCommand> {
    let fixed = FixedMigration { migration: &judgement.migration, fixes: vec![fix.clone()] };
    let edits = files(&judgement.versions, &[fixed]);
    if edits.is_empty() {
        return None;
    }
    let source = &judgement.migration.up.section.source;
    let whole = Span::new(0, u32::try_from(source.text().len()).unwrap_or(u32::MAX));
    let operations = edits.iter().filter_map(|edit| {
        let uri = text::uri_of(&edit.path)?;
        Some(operations(edit, uri, text::range(source, whole)))
    });
    let changes = DocumentChanges::Operations(operations.flatten().collect());
    let answers = |code: &lsp_types::NumberOrString| {
        matches!(code, lsp_types::NumberOrString::String(rule)
            if fix.rules.contains(&rule.as_str()))
    };
    let solved = params.context.diagnostics.iter();
    let solved = solved.filter(|d| d.code.as_ref().is_some_and(answers)).cloned().collect();
    Some(CodeActionOrCommand::CodeAction(CodeAction {
        title: format!("lockwise: {}", fix.kind.title()),
        kind: Some(CodeActionKind::QUICKFIX),
        diagnostics: Some(solved),
        edit: Some(WorkspaceEdit { document_changes: Some(changes), ..WorkspaceEdit::default() }),
        ..CodeAction::default()
    }))
}

fn operations(edit: &FileEdit, uri: Uri, whole: Range) -> Vec<DocumentChangeOperation> {
    let start = Position { line: 0, character: 0 };
    let range = if edit.new { Range { start, end: start } } else { whole };
    let change = TextDocumentEdit {
        text_document: OptionalVersionedTextDocumentIdentifier { uri: uri.clone(), version: None },
        edits: vec![OneOf::Left(TextEdit { range, new_text: edit.text.clone() })],
    };
    let create = edit.new.then(|| {
        let create = CreateFile { uri, options: None, annotation_id: None };
        DocumentChangeOperation::Op(ResourceOp::Create(create))
    });
    create.into_iter().chain([DocumentChangeOperation::Edit(change)]).collect()
}
