//! Numbers that every rank can make by itself.

/// A hash of three numbers.
pub fn hash(a: usize, b: usize, c: usize) -> u64 {
    let mut x = (a as u64) << 42 ^ (b as u64) << 21 ^ c as u64;
    for _ in 0..2 {
        x = (x ^ (x >> 30)).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    x ^ (x >> 31)
}

/// A number from −1 to 1 whose magnitude varies.
pub fn value(a: usize, b: usize, c: usize) -> f32 {
    let hash = hash(a, b, c);
    let unit = (hash >> 40) as f32 / (1 << 23) as f32 - 1.0;
    unit * [1.0, 1e-2, 1e-4, 0.0][hash as usize % 4]
}

/// Compares bits.
#[track_caller]
pub fn assert_same(actual: &[f32], expected: &[f32], what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}: length");
    for (position, (actual, expected)) in actual.iter().zip(expected).enumerate() {
        assert_eq!(actual.to_bits(), expected.to_bits(), "{what}: [{position}] is {actual}, expected {expected}");
    }
}
