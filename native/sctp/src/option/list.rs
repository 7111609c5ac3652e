//! Integers at the end of a struct.

use crate::bytes::{put_u8, put_u16, put_u32, u8_at, u16_at, u32_at};

/// As many integers as another field of the struct says.
#[derive(Debug)]
pub struct List {
    /// Where their number is.
    pub count: usize,
    /// Bytes of their number: 2 or 4.
    pub count_width: usize,
    /// Bytes of each: 1 or 2.
    pub width: usize,
    /// What there is room for.
    pub most: usize,
    /// The atoms of some.
    pub names: &'static [(u32, &'static str)],
}

impl List {
    /// Writes them at `at` of `bytes`, which has room for all that there can be: how many bytes it is
    /// to have. `None` if they are too many or too large.
    pub fn put(&self, bytes: &mut [u8], at: usize, numbers: &[u32]) -> Option<usize> {
        if numbers.len() > self.most {
            return None;
        }
        put_number(bytes, self.count, self.count_width, numbers.len().try_into().ok()?)?;
        for (index, number) in numbers.iter().enumerate() {
            put_number(bytes, at + index * self.width, self.width, *number)?;
        }
        Some(at + numbers.len() * self.width)
    }

    /// Those at `at` of `bytes`. `None` if they do not fit in there.
    pub fn get(&self, bytes: &[u8], at: usize) -> Option<Vec<u32>> {
        let count = number(bytes, self.count, self.count_width)? as usize;
        if count > self.most {
            return None;
        }
        (0..count).map(|index| number(bytes, at + index * self.width, self.width)).collect()
    }
}

/// Writes an integer of 1, 2 or 4 bytes in host order; `None` if it is larger.
pub fn put_number(bytes: &mut [u8], at: usize, width: usize, number: u32) -> Option<()> {
    match width {
        1 => put_u8(bytes, at, u8::try_from(number).ok()?),
        2 => put_u16(bytes, at, u16::try_from(number).ok()?),
        _ => put_u32(bytes, at, number),
    }
    Some(())
}

/// An integer of 1, 2 or 4 bytes in host order.
pub fn number(bytes: &[u8], at: usize, width: usize) -> Option<u32> {
    match width {
        1 => u8_at(bytes, at).map(u32::from),
        2 => u16_at(bytes, at).map(u32::from),
        _ => u32_at(bytes, at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: List = List { count: 4, count_width: 4, width: 2, most: 3, names: &[] };

    #[test]
    fn what_is_put_is_got() {
        // (numbers, bytes the struct has then)
        for (numbers, length) in [
            (vec![], Some(8)),
            (vec![1, 65535, 3], Some(14)),
            (vec![0; 4], None),
            (vec![65536], None),
        ] {
            let mut bytes = vec![9; 14];
            assert_eq!(LIST.put(&mut bytes, 8, &numbers), length, "{numbers:?}");
            if let Some(length) = length {
                assert_eq!(LIST.get(&bytes[..length], 8), Some(numbers));
            }
        }
    }

    #[test]
    fn what_is_not_there_is_not_got() {
        let with = |count: u32, length: usize| {
            let mut bytes = vec![0; length];
            put_u32(&mut bytes, 4, count);
            LIST.get(&bytes, 8)
        };
        assert_eq!(with(3, 14), Some(vec![0; 3]));
        for (count, length) in [(3, 13), (1, 8), (4, 16), (u32::MAX, 14)] {
            assert_eq!(with(count, length), None, "{count} {length}");
        }
        assert_eq!(LIST.get(&[0; 7], 8), None);
    }
}
