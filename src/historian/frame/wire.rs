//! Numbers on the wire: LEB128 varints, signed ones in zigzag form, and a reader that never runs past the end.

use super::FrameError;

/// Appends a number in seven bits a byte, the lowest first.
pub(in crate::historian) fn put_unsigned(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends a signed number so that small ones of either sign are short.
pub(in crate::historian) fn put_signed(out: &mut Vec<u8>, n: i64) {
    put_unsigned(out, ((n << 1) ^ (n >> 63)) as u64);
}

/// Bytes that are yet to be read.
pub(in crate::historian) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(in crate::historian) fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    pub(in crate::historian) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(in crate::historian) fn byte(&mut self) -> Result<u8, FrameError> {
        let (byte, rest) = self.rest.split_first().ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(in crate::historian) fn bytes(&mut self, n: usize) -> Result<&'a [u8], FrameError> {
        let (bytes, rest) = self.rest.split_at_checked(n).ok_or(FrameError::Short)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(in crate::historian) fn unsigned(&mut self) -> Result<u64, FrameError> {
        let mut n = 0;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(FrameError::Word);
            }
            n |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(FrameError::Word)
    }

    pub(in crate::historian) fn signed(&mut self) -> Result<i64, FrameError> {
        let n = self.unsigned()?;
        Ok((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    /// A number that must fit a smaller type.
    pub(in crate::historian) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, FrameError> {
        T::try_from(self.unsigned()?).map_err(|_| FrameError::Word)
    }

    /// How many things follow. Each takes a byte or more, so that a greater number than bytes are left is damage.
    pub(in crate::historian) fn length(&mut self) -> Result<usize, FrameError> {
        let n = self.small::<usize>()?;
        if n > self.rest.len() { Err(FrameError::Short) } else { Ok(n) }
    }
}
