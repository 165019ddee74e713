//! The checksums of other tools, as they compute them.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher as _;

use sha2::{Digest as _, Sha256, Sha384};

use crate::plan::digest::hex;

/// sqlx: SHA-384 over the bytes of the file, in hexadecimal.
pub fn sqlx(text: &str) -> String {
    hex(&Sha384::digest(text.as_bytes()))
}

/// Prisma: SHA-256 over the bytes of `migration.sql`, in hexadecimal.
pub fn prisma(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// How wide refinery hashes a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionWidth {
    /// 32 bits, its default.
    Narrow,
    /// 64 bits, its feature `int8-versions`.
    Wide,
}

/// refinery: SipHash-1-3 with the key zero over name, version and text, in decimal.
///
/// The standard library's `DefaultHasher::new` is that hash; the golden values below would show a
/// change of it.
pub fn refinery(name: &str, version: i64, text: &str, width: VersionWidth) -> String {
    let mut hasher = DefaultHasher::new();
    hasher.write(name.as_bytes());
    hasher.write_u8(0xff);
    match (width, i32::try_from(version)) {
        (VersionWidth::Narrow, Ok(narrow)) => hasher.write(&narrow.to_le_bytes()),
        (VersionWidth::Narrow, Err(_)) | (VersionWidth::Wide, _) => {
            hasher.write(&version.to_le_bytes());
        }
    }
    hasher.write(text.as_bytes());
    hasher.write_u8(0xff);
    hasher.finish().to_string()
}

/// Flyway: CRC-32 over the lines without their ends, a byte order mark left out, as a signed
/// number.
pub fn flyway(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut crc = Crc32::new();
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    for line in lines.strip_suffix('\n').unwrap_or(&lines).split('\n') {
        crc.write(line.as_bytes());
    }
    crc.finish().cast_signed().to_string()
}

/// CRC-32 as in zip and PNG.
pub fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.write(bytes);
    crc.finish()
}

struct Crc32(u32);

impl Crc32 {
    const fn new() -> Self {
        Self(u32::MAX)
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 ^= u32::from(byte);
            for _ in 0..8 {
                let carry = self.0 & 1;
                self.0 >>= 1;
                if carry == 1 {
                    self.0 ^= 0xedb8_8320;
                }
            }
        }
    }

    const fn finish(self) -> u32 {
        !self.0
    }
}

/// Atlas: SHA-256 over the names and contents of all files up to one, in base 64.
#[derive(Debug, Clone, Default)]
pub struct Atlas(Sha256);

impl Atlas {
    /// Adds the next file and returns the checksum of it and all before it.
    pub fn file(&mut self, name: &str, text: &str) -> String {
        self.0.update(name.as_bytes());
        self.0.update(text.as_bytes());
        base64(&self.0.clone().finalize())
    }
}

/// Sqitch: SHA-1 over the bytes of the deploy script, in hexadecimal.
pub fn sqitch(text: &str) -> String {
    hex(&sha1::Sha1::digest(text.as_bytes()))
}

/// How Liquibase computes the checksum of a changeset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiquibaseVersion {
    /// Before 4.22: white space is one space, and how statements are split counts.
    V8,
    /// From 4.22 on: white space does not count.
    V9,
}

/// Liquibase: the MD5 of one statement text within that of the changeset, as `9:…`.
///
/// `settings` are the delimiter, splitting and comments of the changeset, as version 8 writes them:
/// `null:true:true:`. The text is that of the changeset without its own lines.
pub fn liquibase(sql: &str, version: LiquibaseVersion, settings: &str) -> String {
    let space = |c: char| matches!(c, ' ' | '\n' | '\r' | '\t');
    let (number, normal) = match version {
        LiquibaseVersion::V8 => {
            let words: Vec<&str> = sql.split(space).filter(|word| !word.is_empty()).collect();
            (8, format!("{settings}{}", words.join(" ")))
        }
        LiquibaseVersion::V9 => (9, sql.chars().filter(|c| !space(*c)).collect::<String>()),
    };
    let md5 = |text: &str| hex(&md5::Md5::digest(text.as_bytes()));
    let change = format!("{number}:{}:", md5(&normal));
    format!("{number}:{}", md5(&change))
}

/// The hash of a string in Java, which Flyway names its locks after.
pub fn java_hash(text: &str) -> i32 {
    text.encode_utf16()
        .fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = (byte(0) << 16) | (byte(1) << 8) | byte(2);
        for place in 0..4_usize {
            let index = (bits >> (18 - 6 * place)) & 63;
            let letter = LETTERS.get(index as usize).copied().unwrap_or(b'=');
            out.push(if place <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "CREATE TABLE persons (id int);\nINSERT INTO persons VALUES (1);\n";

    #[test]
    fn sqlx_as_measured() {
        assert_eq!(
            sqlx(TEXT),
            "a65598b9e07a1cf250597ad3152cb60801a17d8e14e01f7050775af7f6dd648a1849992709eefe46875c1a9b\
             f3e591a9"
        );
    }

    #[test]
    fn flyway_as_measured_whatever_the_line_ends() {
        assert_eq!(flyway(TEXT), "1867760328");
        assert_eq!(flyway(&TEXT.replace('\n', "\r\n")), "1867760328");
        assert_eq!(flyway(&format!("\u{feff}{TEXT}")), "1867760328");
    }

    #[test]
    fn prisma_as_measured() {
        assert_eq!(
            prisma(TEXT),
            "57a1612773f58ee2cc530b7d1b6d23593e4a9056708d58375effdb4a8cd7927a"
        );
    }

    #[test]
    fn refinery_as_measured_in_both_widths() {
        let one = "CREATE TABLE persons (id int);\n";
        let crlf = "CREATE TABLE persons (id int);\r\n";
        let two = "ALTER TABLE persons ADD COLUMN x int;\n";
        for (name, version, text, narrow, wide) in [
            ("initial", 1, one, "1091441964215326441", "17850160248500988789"),
            ("initial", 1, crlf, "10572251750747937901", "14027286723238187353"),
            ("add_x", 2, two, "7716327661469715959", "6787587387609912320"),
        ] {
            assert_eq!(refinery(name, version, text, VersionWidth::Narrow), narrow);
            assert_eq!(refinery(name, version, text, VersionWidth::Wide), wide);
        }
    }

    #[test]
    fn atlas_as_read_in_its_source() {
        let mut atlas = Atlas::default();
        let first = atlas.file("20240101000000_a.sql", TEXT);
        assert_eq!(first, "StUse5pRJuVLaoHq9bkxvmXRZNW+hvDDvPgxt3rvH/Y=");
        let second = atlas.file("20240102000000_b.sql", TEXT);
        assert_eq!(second, "c98lzxaOZJFaMpOtoSqMOA7ovXBsS9iIkMEYnlkxS4Q=");
    }

    #[test]
    fn sqitch_as_measured() {
        assert_eq!(sqitch(TEXT), "17602dbb821a2929b379ba3b0f5475c9214709e2");
    }

    #[test]
    fn java_hash_as_in_its_manual() {
        assert_eq!(java_hash(""), 0);
        assert_eq!(java_hash("Flyway"), 2_107_503_036);
    }

    #[test]
    fn crc32_as_everywhere() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
