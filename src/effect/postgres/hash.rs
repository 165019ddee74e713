//! Which hash partition a key belongs to.
//!
//! PostgreSQL 12 to 18: compute_partition_hash_value (partbounds.c) over the extended hash
//! functions of the key's types (hashfn.c, hashfunc.c). They do not change between versions, since
//! partitions are kept by them (manual: Table Partitioning; measured, testdata/servers/postgres).

use super::literal::unquoted;
use super::types;
use crate::schema::Schema;
use crate::sql::ast::DataType;

/// HASH_PARTITION_SEED.
const SEED: u64 = 0x7A5B_2236_7996_DCFD;

/// Returns the hash of a key of literals; none where a type or a literal is not understood.
pub(super) fn of_key(schema: &Schema, key: &[(&str, &DataType)]) -> Option<u64> {
    let mut hash = 0_u64;
    for (literal, data_type) in key {
        // NULL adds nothing.
        if !literal.eq_ignore_ascii_case("null") {
            hash = combine(hash, of_value(schema, literal, data_type)?);
        }
    }
    Some(hash)
}

/// hash_combine64.
const fn combine(hash: u64, value: u64) -> u64 {
    let mixed = value.wrapping_add(0x49a0_f4dd_15e5_a8e3);
    hash ^ mixed.wrapping_add(hash << 54).wrapping_add(hash >> 7)
}

fn of_value(schema: &Schema, literal: &str, data_type: &DataType) -> Option<u64> {
    let text = unquoted(literal)?;
    match types::scalar(schema, data_type)?.as_str() {
        "smallint" | "integer" | "bigint" => Some(of_integer(text.trim().parse().ok()?)),
        "text" | "varchar" if literal.starts_with('\'') => Some(of_bytes(text.as_bytes())),
        "uuid" => {
            let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
            let value = u128::from_str_radix(&digits, 16).ok()?;
            Some(of_bytes(&value.to_be_bytes()))
        }
        _ => None,
    }
}

/// hashint8extended; the shorter integers have the same hash.
fn of_integer(value: i64) -> u64 {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    let (low, high) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let folded = low ^ if value >= 0 { high } else { !high };
    let mut state = State::new(4);
    state.a = state.a.wrapping_add(folded);
    state.end()
}

/// hash_bytes_extended.
fn of_bytes(bytes: &[u8]) -> u64 {
    let mut state = State::new(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    let word = |part: &[u8], at: usize| -> u32 {
        let byte = |n: usize| u32::from(part.get(at + n).copied().unwrap_or(0));
        byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24
    };
    let chunks = bytes.chunks_exact(12);
    let rest = chunks.remainder();
    for part in chunks {
        state.add(word(part, 0), word(part, 4), word(part, 8));
        state.mix();
    }
    // The lowest byte of the third word is kept for the length.
    state.add(word(rest, 0), word(rest, 4), word(rest, 8) << 8);
    state.end()
}

/// The three words of Bob Jenkins' hash, lookup3.
struct State {
    a: u32,
    b: u32,
    c: u32,
}

impl State {
    fn new(length: u32) -> Self {
        let start = 0x9e37_79b9_u32.wrapping_add(length).wrapping_add(3_923_095);
        let mut state = Self { a: start, b: start, c: start };
        let [h3, h2, h1, h0, l3, l2, l1, l0] = SEED.to_be_bytes();
        let high = u32::from_be_bytes([h3, h2, h1, h0]);
        state.add(high, u32::from_be_bytes([l3, l2, l1, l0]), 0);
        state.mix();
        state
    }

    const fn add(&mut self, a: u32, b: u32, c: u32) {
        self.a = self.a.wrapping_add(a);
        self.b = self.b.wrapping_add(b);
        self.c = self.c.wrapping_add(c);
    }

    fn mix(&mut self) {
        let Self { mut a, mut b, mut c } = *self;
        for (first, second, third) in [(4, 6, 8), (16, 19, 4)] {
            a = a.wrapping_sub(c) ^ c.rotate_left(first);
            c = c.wrapping_add(b);
            b = b.wrapping_sub(a) ^ a.rotate_left(second);
            a = a.wrapping_add(c);
            c = c.wrapping_sub(b) ^ b.rotate_left(third);
            b = b.wrapping_add(a);
        }
        *self = Self { a, b, c };
    }

    fn end(self) -> u64 {
        let Self { mut a, mut b, mut c } = self;
        c = (c ^ b).wrapping_sub(b.rotate_left(14));
        a = (a ^ c).wrapping_sub(c.rotate_left(11));
        b = (b ^ a).wrapping_sub(a.rotate_left(25));
        c = (c ^ b).wrapping_sub(b.rotate_left(16));
        a = (a ^ c).wrapping_sub(c.rotate_left(4));
        b = (b ^ a).wrapping_sub(a.rotate_left(14));
        c = (c ^ b).wrapping_sub(b.rotate_left(24));
        u64::from(b) << 32 | u64::from(c)
    }
}
