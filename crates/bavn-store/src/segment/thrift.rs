//! The few fields of Parquet's own structures that its reader needs here (Thrift compact protocol).

use crate::varint::Input;

/// One field of a structure.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Number(i64),
    Bytes(&'a [u8]),
    /// Where a structure begins; [`fields`] walks it.
    Structure(Input<'a>),
    Other,
}

/// Calls `found` for each field of the structure at which `input` stands, and leaves `input` behind
/// it. `None` if the bytes are no structure.
pub(super) fn fields<'a>(
    input: &mut Input<'a>,
    found: &mut dyn FnMut(i64, Value<'a>),
) -> Option<()> {
    walk(input, found, 0)
}

fn walk<'a>(
    input: &mut Input<'a>,
    found: &mut dyn FnMut(i64, Value<'a>),
    depth: usize,
) -> Option<()> {
    if depth > DEPTH_MAX {
        return None;
    }
    let mut id = 0;
    loop {
        let [head] = input.array()?;
        if head == 0 {
            return Some(());
        }
        match i64::from(head >> 4) {
            0 => id = input.signed()?,
            delta => id += delta,
        }
        let value = value(head & 0x0f, input, depth)?;
        found(id, value);
    }
}

fn value<'a>(kind: u8, input: &mut Input<'a>, depth: usize) -> Option<Value<'a>> {
    Some(match kind {
        1 | 2 => Value::Number(i64::from(kind == 1)),
        3 => Value::Number(i64::from(i8::from_le_bytes(input.array()?))),
        4..=6 => Value::Number(input.signed()?),
        7 => {
            input.take(8)?;
            Value::Other
        }
        8 => Value::Bytes(input.bytes()?),
        9 | 10 => {
            let [head] = input.array()?;
            let count = match head >> 4 {
                15 => input.number()?,
                count => u64::from(count),
            };
            for _ in 0..count {
                match head & 0x0f {
                    // In a list, a truth value is a byte of its own.
                    1 | 2 => {
                        input.take(1)?;
                    }
                    kind => {
                        value(kind, input, depth + 1)?;
                    }
                }
            }
            Value::Other
        }
        12 => {
            let start = *input;
            walk(input, &mut |_, _| {}, depth + 1)?;
            Value::Structure(start)
        }
        _ => return None,
    })
}

const DEPTH_MAX: usize = 16;
