//! Rows of a query as text cells.

/// The rows of one query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The rows in the server's order.
    pub rows: Vec<Row>,
}

/// One row; a cell is `None` where the server says NULL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row(pub Vec<Option<String>>);

impl Rows {
    /// Returns the first cell of the first row, if there is one and it is not NULL.
    pub fn scalar(&self) -> Option<&str> {
        self.rows.first().and_then(|row| row.get(0))
    }

    /// Returns the first row.
    pub fn first(&self) -> Option<&Row> {
        self.rows.first()
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Says whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Iterates over the rows.
    pub fn iter(&self) -> std::slice::Iter<'_, Row> {
        self.rows.iter()
    }
}

impl<'a> IntoIterator for &'a Rows {
    type Item = &'a Row;
    type IntoIter = std::slice::Iter<'a, Row>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.iter()
    }
}

impl Row {
    /// Returns a cell; `None` where it is NULL or does not exist.
    pub fn get(&self, index: usize) -> Option<&str> {
        self.0.get(index).and_then(Option::as_deref)
    }

    /// Returns a cell; an empty text where it is NULL.
    pub fn text(&self, index: usize) -> &str {
        self.get(index).unwrap_or("")
    }

    /// Says whether a cell is true: `t`, `true`, `1`, `yes`, `on` in either case.
    pub fn flag(&self, index: usize) -> bool {
        let text = self.text(index);
        ["t", "true", "1", "yes", "on"].iter().any(|word| text.eq_ignore_ascii_case(word))
    }

    /// Returns a cell as a number, if it is one.
    pub fn number(&self, index: usize) -> Option<i64> {
        self.get(index).and_then(|text| text.trim().parse().ok())
    }

    /// Returns a cell as a number that is not negative; zero where it is none.
    pub fn count(&self, index: usize) -> u64 {
        self.number(index).and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
    }
}
