//! Lines of a report broken to the width of a terminal.

use unicode_width::UnicodeWidthChar as _;

/// Breaks lines at blanks; what follows is set in a little deeper than the line begins. A word that
/// is longer than a line stays whole, so that it can be copied.
pub fn wrapped(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        wrap(body, width, &mut out);
        out.push_str(end);
    }
    out
}

/// Room that a line must leave behind its indentation, or it is not set in.
const ROOM: usize = 24;

fn wrap(line: &str, width: usize, out: &mut String) {
    if columns(line) <= width {
        out.push_str(line);
        return;
    }
    let indent = line.chars().take_while(|c| *c == ' ').count();
    let hang = if indent + 2 + ROOM > width { 2 } else { indent + 2 };
    let mut used = 0;
    // A line that holds no word yet is not broken: nothing would stand on it.
    let mut empty = true;
    // Blanks belong to the word before them; those at a break are dropped.
    for word in line.split_inclusive(' ') {
        let bare = columns(word.trim_end_matches(' '));
        if !empty && used + bare > width && bare > 0 {
            out.truncate(out.trim_end_matches(' ').len());
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', hang));
            used = hang;
        }
        out.push_str(word);
        used += columns(word);
        empty &= bare == 0;
    }
}

/// Counts the columns of a text, colours aside.
fn columns(text: &str) -> usize {
    let mut count = 0;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // A colour ends with its letter.
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            count += c.width().unwrap_or(0);
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_at_blanks_and_set_in() {
        let text = "  warning: one two three four five six seven\nshort\n";
        assert_eq!(wrapped(text, 100), text);
        let narrow = "  warning: one two three four\n    five six seven\nshort\n";
        assert_eq!(wrapped(text, 30), narrow);
    }

    #[test]
    fn colours_take_no_room_and_wide_characters_two() {
        let red = "\u{1b}[31mone\u{1b}[0m two";
        assert_eq!(wrapped(red, 7), red);
        assert_eq!(wrapped("名前 名前 名前", 10), "名前 名前\n  名前");
    }

    #[test]
    fn a_word_longer_than_a_line_stays_whole() {
        assert_eq!(wrapped("a sha256:0123456789 b", 10), "a\n  sha256:0123456789\n  b");
    }
}
