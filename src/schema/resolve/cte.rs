//! WITH: what its parts show, recursive ones among them (sqlite.org/lang_with.html).

use super::scope::Shown;
use super::select::renamed;
use super::{Checked, Reason, Resolver, refused, same};
use crate::sql::ObjectName;
use crate::sql::ast::{Core, Cte, Output, OutputKind, Source, SourceItem};

use super::select::Frame;

impl<'a> Resolver<'a> {
    /// Returns what a part of a WITH clause shows, if a name means one.
    pub(super) fn cte(&mut self, name: &ObjectName) -> Checked<Option<Shown>> {
        if name.schema().is_some() {
            return Ok(None);
        }
        let position = |frame: &Frame<'a>| {
            frame.ctes.iter().position(|cte| same(cte.name.as_str(), name.name()))
        };
        let Some((level, at)) = self
            .frames
            .iter()
            .enumerate()
            .rev()
            .find_map(|(level, frame)| position(frame).map(|at| (level, at)))
        else {
            return Ok(None);
        };
        let frame = self.frames.get(level);
        let Some(cte) = frame.and_then(|frame| frame.ctes.get(at)) else { return Ok(None) };
        let open = frame.and_then(|frame| frame.open.iter().find(|(open, _)| *open == at));
        match open {
            Some((_, Some(shown))) => return Ok(Some(shown.clone())),
            Some((_, None)) => {
                return refused(Reason::Misused, format!("circular reference: {}", cte.name));
            }
            None => {}
        }
        let inner = self.frames.split_off(level + 1);
        let shown = self.cte_body(cte, level, at);
        self.frames.extend(inner);
        shown.map(Some)
    }

    fn cte_body(&mut self, cte: &'a Cte, level: usize, at: usize) -> Checked<Shown> {
        self.set_open(level, at, Some(None));
        let named = |shown: Shown| cte_columns(cte, shown);
        let recursive = cte.select.cores.iter().skip(1).any(|core| core.union && reads(core, cte));
        let behind = cte.select.cores.iter().skip(1).filter(|core| core.union);
        let mut shown = behind.flat_map(|core| &core.outputs);
        if recursive && self.is_run() && shown.any(|output| self.aggregates(output)) {
            self.set_open(level, at, None);
            return refused(Reason::Misused, "recursive aggregate queries not supported");
        }
        if recursive && let Some(first) = cte.select.cores.first() {
            let shown = self.core(first, &[], None).and_then(named);
            let shown = shown.inspect_err(|_| self.set_open(level, at, None))?;
            self.set_open(level, at, Some(Some(shown)));
        }
        let shown = self.nested_query(&cte.select, None).and_then(named);
        self.set_open(level, at, None);
        shown
    }

    fn aggregates(&self, output: &Output) -> bool {
        match &output.kind {
            OutputKind::Term(term) => self.has_aggregate(term),
            OutputKind::All | OutputKind::AllOf(_) => false,
        }
    }

    fn set_open(&mut self, level: usize, at: usize, shown: Option<Option<Shown>>) {
        if let Some(frame) = self.frames.get_mut(level) {
            frame.open.retain(|(open, _)| *open != at);
            frame.open.extend(shown.map(|shown| (at, shown)));
        }
    }
}

fn cte_columns(cte: &Cte, mut shown: Shown) -> Checked<Shown> {
    shown.rowid = false;
    if cte.columns.is_empty() {
        return Ok(shown);
    }
    let (has, wanted) = (shown.columns.len(), cte.columns.len());
    if shown.complete && has != wanted {
        let detail = format!("table {} has {has} values for {wanted} columns", cte.name);
        return refused(Reason::Count, detail);
    }
    Ok(renamed(cte.columns.iter().map(|column| column.value.clone()).collect(), shown))
}

fn reads(core: &Core, cte: &Cte) -> bool {
    fn any(sources: &[Source], cte: &Cte) -> bool {
        sources.iter().any(|source| match &source.item {
            SourceItem::Table(name) => {
                name.schema().is_none() && same(name.name(), cte.name.as_str())
            }
            SourceItem::Joined(inner) => any(inner, cte),
            SourceItem::Function(..) | SourceItem::Select(_) => false,
        })
    }
    any(&core.from, cte)
}
