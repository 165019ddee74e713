//! Findings for people: the place in the source, what the server does, what to write instead.

use std::borrow::Cow;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use unicode_width::UnicodeWidthStr;

use super::one_line;
use crate::rule::{Finding, Severity};
use crate::sql::{Source, Span};

/// Lines of a statement that are shown; of a longer one, only the first.
const LINES: usize = 6;

/// Longest line that is shown, in bytes; of a file with longer ones, only the place is told.
const LINE: usize = 20_000;

/// Where the texts under an excerpt are wrapped.
const WIDTH: usize = 96;

pub(super) fn finding(finding: &Finding, colors: bool, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if colors { Renderer::styled() } else { Renderer::plain() };
    writeln!(out, "{}\n", renderer.render(&[group(finding)]))
}

fn group(finding: &Finding) -> Group<'_> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(finding.message.as_str()).id(finding.rule.as_str());
    let excerpt = Excerpt::of(&finding.source, finding.span);
    let blank = excerpt.text.trim().is_empty();
    let mut group = if blank || excerpt.text.lines().any(|line| line.len() > LINE) {
        let column = if blank { 1 } else { finding.source.position(finding.span.start).column };
        let column = usize::try_from(column).unwrap_or(1);
        let origin = Origin::path(finding.source.path()).line(excerpt.line).char_column(column);
        title.element(origin)
    } else {
        let annotation = AnnotationKind::Primary.span(excerpt.start..excerpt.end);
        title.element(
            Snippet::source(excerpt.text.into_owned())
                .line_start(excerpt.line)
                .path(finding.source.path())
                .annotation(annotation),
        )
    };
    let note = |name: &'static str, text: &str| {
        Level::NOTE.with_name(name).message(wrapped(text, name.len()))
    };
    if let Some(fact) = finding.fact.as_ref().filter(|fact| **fact != finding.message) {
        group = group.element(note("effect", fact));
    }
    for other in &finding.also {
        let text = format!("{} ({} {})", other.message, other.severity, other.rule);
        group = group.element(note("also", &text));
    }
    if !finding.instead.trim().is_empty() {
        group = group.element(note("instead", &one_line(&finding.instead)));
    }
    if let Some(fix) = finding.fix {
        group = group.element(note("fix", &format!("{fix}: run `lockwise fix`")));
    }
    group
}

/// The lines around a span, and the span in them.
struct Excerpt<'a> {
    text: Cow<'a, str>,
    line: usize,
    start: usize,
    end: usize,
}

impl<'a> Excerpt<'a> {
    fn of(source: &'a Source, span: Span) -> Self {
        let text = source.text();
        let first = source.range().start;
        let mut start = (span.start.saturating_sub(first) as usize).min(text.len());
        let mut end = (span.end.saturating_sub(first) as usize).clamp(start, text.len());
        let at = |from: usize, to: usize| text.get(from..to).unwrap_or("");
        // A place that is a whole file starts at its first word.
        let blank = at(start, end).len() - at(start, end).trim_start().len();
        if blank < end - start {
            start += blank;
        }
        if at(start, end).lines().count() > LINES {
            end = start + at(start, end).lines().next().map_or(0, str::len);
        }
        let from = at(0, start).rfind('\n').map_or(0, |newline| newline + 1);
        let to = text.get(end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |n| end + n);
        let line = usize::try_from(source.position(first).line).unwrap_or(1);
        let line = line + at(0, from).matches('\n').count();
        let end = end.max((start + 1).min(to));
        let (text, start, end) = (at(from, to), start - from, end - from);
        if !text.contains('\r') {
            return Self { text: Cow::Borrowed(text), line, start, end };
        }
        // The carriage return is part of the line's end on Windows.
        let without = |text: &str| text.strip_suffix('\r').unwrap_or(text).replace("\r\n", "\n");
        let length = |to: usize| text.get(..to).map_or(0, |text| without(text).len());
        let (start, end) = (length(start), length(end));
        Self { text: Cow::Owned(without(text)), line, start, end }
    }
}

/// Breaks a text into lines that fit beside `= name: `.
fn wrapped(text: &str, name: usize) -> String {
    let width = WIDTH.saturating_sub(name + 6);
    let mut lines = String::new();
    let mut column = 0;
    for word in text.split_whitespace() {
        if column > 0 && column + 1 + word.width() > width {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines.push_str(word);
        column += word.width();
    }
    lines
}
