//! The nearest known name to a mistyped one.

/// Returns the known name that is closest, if it is close enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (name.chars().count() / 3).max(2);
    known
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(distance, _)| distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Counts the insertions, deletions, changes and swaps of neighbours that lead from one text to
/// the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut previous: Option<char> = None;
    for (line, l) in left.chars().enumerate() {
        let mut next = vec![line + 1];
        for (column, &r) in right.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX);
            let change = at(&row, column) + usize::from(l != r);
            let mut best = change.min(at(&row, column + 1) + 1).min(at(&next, column) + 1);
            let swapped = column > 0
                && previous == Some(r)
                && right.get(column - 1) == Some(&l)
                && !before.is_empty();
            if swapped {
                best = best.min(at(&before, column - 1).saturating_add(1));
            }
            next.push(best);
        }
        before = std::mem::replace(&mut row, next);
        previous = Some(l);
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_keyboard_is_recognised() {
        let known = ["drop-table", "drop-column", "truncate"];
        assert_eq!(nearest("drop-tabel", known), Some("drop-table"));
        assert_eq!(nearest("drop-colum", known), Some("drop-column"));
        assert_eq!(nearest("something-else", known), None);
        assert_eq!(distance("ab", "ba"), 1);
    }
}
