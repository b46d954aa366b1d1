//! A form as a browser sends it: `application/x-www-form-urlencoded` (URL Standard, section 5), or
//! with a file in it `multipart/form-data` (RFC 7578).

/// Fields in their order.
#[derive(Debug, Default)]
pub(crate) struct Form(Vec<(String, String)>);

impl Form {
    /// None: not UTF-8, or not a form.
    pub(crate) fn read(body: &[u8], kind: Option<&str>) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        if let Some(kind) = kind.filter(|kind| kind.starts_with("multipart/form-data")) {
            return Self::of_parts(text, kind);
        }
        let fields = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(value)?))
        });
        Some(Self(fields.collect::<Option<_>>()?))
    }

    fn of_parts(text: &str, kind: &str) -> Option<Self> {
        let boundary = kind.split("boundary=").nth(1)?.split(';').next()?.trim().trim_matches('"');
        let cut = format!("--{boundary}");
        let parts = text.split(cut.as_str()).skip(1);
        let parts = parts.take_while(|part| !part.starts_with("--"));
        let field = |part: &str| {
            let (head, value) = part.split_once("\r\n\r\n")?;
            let name = head.split("name=\"").nth(1)?.split('"').next()?;
            Some((name.to_owned(), value.strip_suffix("\r\n")?.to_owned()))
        };
        (!boundary.is_empty()).then_some(())?;
        Some(Self(parts.map(field).collect::<Option<_>>()?))
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
        let form = Form::read(b"text=bl%C3%A5+lys%26+%3Cb%3E&empty=&x", None).unwrap();
        assert_eq!(form.field("text"), "blå lys& <b>");
        assert_eq!((form.field("empty"), form.field("x"), form.field("none")), ("", "", ""));
        for bad in [&b"a=%"[..], b"a=%4", b"a=%zz", b"a=%ff", b"\xff"] {
            assert!(Form::read(bad, None).is_none());
        }
    }

    #[test]
    fn a_file_in_a_form_is_read_as_it_lies() {
        let kind = Some("multipart/form-data; boundary=----x7");
        let body = "------x7\r\nContent-Disposition: form-data; name=\"token\"\r\n\r\nabc\r\n\
                    ------x7\r\nContent-Disposition: form-data; name=\"file\"; filename=\"l.csv\"\r\n\
                    Content-Type: text/csv\r\n\r\nhcw-7\r\npc-1\r\n------x7--\r\n";
        let form = Form::read(body.as_bytes(), kind).unwrap();
        assert_eq!((form.field("token"), form.field("file")), ("abc", "hcw-7\r\npc-1"));
        for kind in ["multipart/form-data", "multipart/form-data; boundary="] {
            assert!(Form::read(body.as_bytes(), Some(kind)).is_none());
        }
        let cut = body.split_once("hcw-7").unwrap().0;
        assert!(Form::read(cut.as_bytes(), kind).is_none(), "a part that is cut is none");
    }
}
