//! Names that PostgreSQL makes up for what is not named.
//!
//! PostgreSQL 12 to 18, `makeObjectName` and its callers: table, columns and a label joined by
//! underscores, cut to 63 bytes by shortening the longer part first, and numbered until free.

/// The bytes that a PostgreSQL name can have (NAMEDATALEN less the closing zero byte).
const MAX_BYTES: usize = 63;

/// Returns a name cut as the server cuts one that is too long: at a character boundary.
pub fn truncated(name: &str) -> &str {
    let mut end = name.len().min(MAX_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.get(..end).unwrap_or(name)
}

/// Returns the first free name made of a table, columns and a label.
pub fn made_up_name(
    table: &str,
    columns: &str,
    label: &str,
    taken: impl Fn(&str) -> bool,
) -> String {
    let mut pass = 0_u32;
    loop {
        let numbered = if pass == 0 { label.to_owned() } else { format!("{label}{pass}") };
        let name = joined(table, columns, &numbered);
        if !taken(&name) || pass > 10_000 {
            return name;
        }
        pass += 1;
    }
}

fn joined(table: &str, columns: &str, label: &str) -> String {
    let mut overhead = label.len() + 1;
    if !columns.is_empty() {
        overhead += 1;
    }
    let room = MAX_BYTES.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len());
    while first + second > room && first + second > 0 {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let table = clipped(table, first);
    let columns = clipped(columns, second);
    if columns.is_empty() {
        format!("{table}_{label}")
    } else {
        format!("{table}_{columns}_{label}")
    }
}

fn clipped(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbered_until_free() {
        let taken = |name: &str| matches!(name, "t_a_idx" | "t_a_idx1");
        assert_eq!(made_up_name("t", "a", "idx", taken), "t_a_idx2");
        assert_eq!(made_up_name("t", "", "pkey", taken), "t_pkey");
    }

    #[test]
    fn the_longer_part_is_cut_first() {
        let name = made_up_name(&"t".repeat(60), &"c".repeat(20), "idx", |_| false);
        assert_eq!(name.len(), 63);
        assert_eq!(name, format!("{}_{}_idx", "t".repeat(38), "c".repeat(20)));
    }
}
