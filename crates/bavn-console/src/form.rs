//! A form as a browser sends it (`application/x-www-form-urlencoded`, URL Standard section 5).

/// Fields in their order.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// None: not UTF-8.
    pub(crate) fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let fields = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        Some(Self(fields.collect::<Option<_>>()?))
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(held, _)| held == name);
        found.map_or("", |(_, value)| value.trim())
    }
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: u8| (byte as char).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                (high * 16 + low) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn fields_are_read_as_they_were_typed() {
        let form = Form::read(b"text=bl%C3%A5+lys%26+%3Cb%3E&empty=&x").unwrap();
        assert_eq!(form.field("text"), "blå lys& <b>");
        assert_eq!((form.field("empty"), form.field("x"), form.field("none")), ("", "", ""));
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"\xff"] {
            assert!(Form::read(bad).is_none());
        }
    }
}
