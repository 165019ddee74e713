//! `lockwise lsp`: the linter inside an editor.
//!
//! Diagnostics while typing, the effects of a statement on hover, and fixes as code actions. An
//! open document is judged as its migration: the files before it in its folder are its history.

mod action;
mod document;
mod text;

use std::collections::BTreeMap;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, DidSaveTextDocument,
    Notification as _, PublishDiagnostics,
};
use lsp_types::request::{CodeActionRequest, HoverRequest, Request as _};
use lsp_types::{
    CodeActionParams, CodeActionProviderCapability, Diagnostic, DiagnosticSeverity,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, Hover, HoverContents, HoverParams, HoverProviderCapability,
    MarkupContent, MarkupKind, NumberOrString, PublishDiagnosticsParams, ServerCapabilities,
    TextDocumentSyncCapability, TextDocumentSyncKind, TextDocumentSyncOptions,
    TextDocumentSyncSaveOptions, Uri,
};
use serde::de::DeserializeOwned;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;
use super::options::ServerOptions;
use super::project::Project;
use crate::rule::{Finding, Severity};
use document::{Desk, Judgement};

/// Serve an editor over standard input and output
///
/// Speaks the language server protocol: diagnostics as you type, what a statement locks on hover,
/// fixes as code actions. Start it from the editor with the folder of the project as its working
/// directory; lockwise.toml counts as it does for `lockwise lint`.
#[derive(Debug, clap::Args)]
pub(super) struct LspArgs {
    #[command(flatten)]
    server: ServerOptions,
}

/// Serves until the editor says goodbye.
pub(super) fn run(args: &LspArgs, console: &mut Console) -> Result<Exit, Failure> {
    let project = Project::load(&console.global)?;
    let rules = project.rules()?;
    let (connection, threads) = Connection::stdio();
    let mut session = Session {
        connection: &connection,
        desk: Desk::new(args.server.clone(), project, rules),
        open: BTreeMap::new(),
        judged: BTreeMap::new(),
    };
    let served = session.serve();
    drop(connection);
    let ended = threads.join();
    served?;
    ended.map_err(|error| broken(&error.to_string()))?;
    Ok(Exit::Yes)
}

fn broken(cause: &str) -> Failure {
    Failure::new("the connection to the editor broke").cause(cause.to_owned())
}

struct Session<'a> {
    connection: &'a Connection,
    desk: Desk,
    /// Documents that are open, as they stand in the editor.
    open: BTreeMap<String, String>,
    /// What was last said of them.
    judged: BTreeMap<String, Judgement>,
}

impl Session<'_> {
    fn serve(&mut self) -> Result<(), Failure> {
        let capabilities =
            serde_json::to_value(capabilities()).map_err(|e| broken(&e.to_string()))?;
        self.connection.initialize(capabilities).map_err(|error| broken(&error.to_string()))?;
        while let Ok(message) = self.connection.receiver.recv() {
            match message {
                Message::Request(request) => {
                    if self
                        .connection
                        .handle_shutdown(&request)
                        .map_err(|error| broken(&error.to_string()))?
                    {
                        return Ok(());
                    }
                    let response = self.answer(request);
                    self.send(Message::Response(response))?;
                }
                Message::Notification(notification) => self.hear(notification)?,
                Message::Response(_) => {}
            }
        }
        Ok(())
    }

    fn send(&self, message: Message) -> Result<(), Failure> {
        self.connection.sender.send(message).map_err(|error| broken(&error.to_string()))
    }

    fn hear(&mut self, notification: Notification) -> Result<(), Failure> {
        let uri = match notification.method.as_str() {
            DidOpenTextDocument::METHOD => {
                let Some(params) = read::<DidOpenTextDocumentParams>(notification.params) else {
                    return Ok(());
                };
                let uri = params.text_document.uri;
                self.open.insert(uri.as_str().to_owned(), params.text_document.text);
                uri
            }
            DidChangeTextDocument::METHOD => {
                let Some(params) = read::<DidChangeTextDocumentParams>(notification.params) else {
                    return Ok(());
                };
                let uri = params.text_document.uri;
                if let Some(change) = params.content_changes.into_iter().next_back() {
                    self.open.insert(uri.as_str().to_owned(), change.text);
                }
                uri
            }
            DidSaveTextDocument::METHOD => {
                match read::<DidSaveTextDocumentParams>(notification.params) {
                    Some(params) => params.text_document.uri,
                    None => return Ok(()),
                }
            }
            DidCloseTextDocument::METHOD => {
                if let Some(params) = read::<DidCloseTextDocumentParams>(notification.params) {
                    let uri = params.text_document.uri;
                    self.open.remove(uri.as_str());
                    self.judged.remove(uri.as_str());
                    self.publish(uri, Vec::new())?;
                }
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.judged.remove(uri.as_str());
        let diagnostics = match self.judge(&uri) {
            Ok(Some(judgement)) => {
                let diagnostics = judgement.findings.iter().map(diagnostic).collect();
                self.judged.insert(uri.as_str().to_owned(), judgement);
                diagnostics
            }
            Ok(None) => Vec::new(),
            Err(failure) => vec![Diagnostic {
                severity: Some(DiagnosticSeverity::ERROR),
                source: Some("lockwise".to_owned()),
                message: failure.one_line(),
                ..Diagnostic::default()
            }],
        };
        self.publish(uri, diagnostics)
    }

    fn publish(&self, uri: Uri, diagnostics: Vec<Diagnostic>) -> Result<(), Failure> {
        let params = PublishDiagnosticsParams { uri, diagnostics, version: None };
        let method = PublishDiagnostics::METHOD.to_owned();
        self.send(Message::Notification(Notification::new(method, params)))
    }

    fn judge(&mut self, uri: &Uri) -> Result<Option<Judgement>, Failure> {
        if let Some(path) = text::path_of(uri) {
            return self.desk.judge(&path, &self.open);
        }
        // `untitled:Untitled-1`: nobody has saved it yet.
        let text = self.open.get(uri.as_str());
        text.map(|text| self.desk.judge_alone(uri.as_str(), text)).transpose()
    }

    fn answer(&self, request: Request) -> Response {
        let id = request.id.clone();
        let result = match request.method.as_str() {
            HoverRequest::METHOD => read::<HoverParams>(request.params).map(|p| self.hover(&p)),
            CodeActionRequest::METHOD => {
                read::<CodeActionParams>(request.params).map(|p| self.actions(&p))
            }
            other => {
                let message = format!("lockwise does not serve {other}");
                return Response::new_err(id, ErrorCode::MethodNotFound as i32, message);
            }
        };
        match result {
            Some(value) => Response::new_ok(id, value),
            None => {
                let message = "the parameters cannot be read".to_owned();
                Response::new_err(id, ErrorCode::InvalidParams as i32, message)
            }
        }
    }

    fn hover(&self, params: &HoverParams) -> serde_json::Value {
        let at = &params.text_document_position_params;
        let hover = self.judged.get(at.text_document.uri.as_str()).and_then(|judgement| {
            let source = &judgement.migration.up.section.source;
            let (statement, facts) = judgement.facts_at(text::offset(source, at.position))?;
            let contents =
                HoverContents::Markup(MarkupContent { kind: MarkupKind::Markdown, value: facts });
            Some(Hover { contents, range: Some(text::range(source, statement)) })
        });
        serde_json::to_value(hover).unwrap_or_default()
    }

    fn actions(&self, params: &CodeActionParams) -> serde_json::Value {
        let uri = &params.text_document.uri;
        let judgement = self.judged.get(uri.as_str());
        let actions = judgement.map(|judgement| action::actions(judgement, params));
        serde_json::to_value(actions).unwrap_or_default()
    }
}

fn read<T: DeserializeOwned>(params: serde_json::Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::FULL),
            save: Some(TextDocumentSyncSaveOptions::Supported(true)),
            ..TextDocumentSyncOptions::default()
        })),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        code_action_provider: Some(CodeActionProviderCapability::Simple(true)),
        ..ServerCapabilities::default()
    }
}

fn diagnostic(finding: &Finding) -> Diagnostic {
    let severity = match finding.severity {
        Severity::Error => DiagnosticSeverity::ERROR,
        Severity::Warning => DiagnosticSeverity::WARNING,
        Severity::Note => DiagnosticSeverity::INFORMATION,
    };
    let mut message = finding.message.clone();
    if let Some(fact) = &finding.fact {
        message.push_str(&format!("\neffect: {fact}"));
    }
    message.push_str(&format!("\ninstead: {}", finding.instead));
    Diagnostic {
        range: text::range(&finding.source, finding.span),
        severity: Some(severity),
        code: Some(NumberOrString::String(finding.rule.clone())),
        source: Some("lockwise".to_owned()),
        message,
        ..Diagnostic::default()
    }
}
