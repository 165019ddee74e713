//! Known names close to a mistyped one.

/// Returns the known names that a mistyped one may mean, nearest first; at most three.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let typed = typed.to_lowercase();
    let limit = (typed.chars().count() / 3).clamp(1, 3);
    let mut close: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| (distance(&typed, &name.to_lowercase()), name))
        .filter(|&(distance, name)| distance <= limit || contains_most(name, &typed))
        .collect();
    close.sort_unstable();
    close.dedup_by_key(|&mut (_, name)| name);
    close.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Says whether what was typed is a good part of the name: `index-blocks` in `index-blocks-writes`.
fn contains_most(name: &str, typed: &str) -> bool {
    typed.len() >= 4 && name.len() <= typed.len() * 2 && name.contains(typed)
}

/// Counts the characters to insert, delete, replace or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, a) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, &b) in right.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let replace = at(&last, column) + usize::from(a != b);
            let mut best = replace.min(at(&last, column + 1) + 1).min(at(&current, column) + 1);
            let swapped = column > 0 && previous == Some(b) && right.get(column - 1) == Some(&a);
            if swapped {
                best = best.min(at(&before_last, column - 1).saturating_add(1));
            }
            current.push(best);
        }
        previous = Some(a);
        before_last = std::mem::replace(&mut last, current);
    }
    last.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_are_found() {
        let known = ["severity", "servers", "server_version", "paths"];
        assert_eq!(nearest("serverity", known), ["severity", "servers"]);
        assert_eq!(nearest("sevrers", known), ["servers"]);
        assert_eq!(nearest("path", known), ["paths"]);
        assert_eq!(nearest("Servers", known), ["servers"]);
        assert_eq!(nearest("colour", known), Vec::<&str>::new());
    }

    #[test]
    fn a_good_part_of_a_name_is_enough() {
        let known = ["index-build-blocks-writes", "table-rewrite"];
        assert_eq!(nearest("build-blocks-writes", known), ["index-build-blocks-writes"]);
    }
}
