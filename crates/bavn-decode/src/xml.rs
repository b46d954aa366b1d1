//! What does this piece of XML hold?
//!
//! A pull reader over one record, and the same borrowed tree that JSON becomes. Nothing is ever
//! expanded or fetched: a DOCTYPE, or a reference that is neither one of the five predefined
//! entities nor a character, refuses the record. Namespace prefixes are cut off: what an element
//! is called decides, as many writers bind prefixes of their own or none.

use crate::tree::{LEVELS_MAX, Value};
use bavn_model::RejectReason;
use quick_xml::events::attributes::{AttrError, Attributes};
use quick_xml::events::{BytesRef, Event};
use quick_xml::{Error, Reader, XmlVersion};
use std::borrow::Cow;

/// How elements become values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// FHIR: the attribute `value` is the value, an element in upper case is a resource, and the
    /// narrative's `div` is left out.
    Fhir,
    /// Attributes and elements alike are fields; text beside them is the field [`TEXT`].
    Plain,
}

/// The field that holds an element's text where it has attributes or children as well.
pub const TEXT: &str = "#text";

/// One element with all that it holds, and where it ended.
#[derive(Debug)]
pub struct Element<'a> {
    pub name: &'a str,
    pub value: Value<'a>,
    /// Bytes from the element's first byte to one past its last.
    pub bytes: usize,
}

/// Reads the element with which `bytes` begin. What follows it is not looked at.
///
/// `until` is a name that may not stand inside: an element of that name there means that this one
/// was cut short, and is told as [`Broken::at`].
pub fn element<'a>(
    bytes: &'a [u8],
    style: Style,
    until: Option<&str>,
) -> Result<Element<'a>, Broken> {
    let mut parser = Parser::new(bytes, style, until);
    let outcome = parser.root();
    outcome.map_err(|reason| {
        let read = parser.reader.buffer_position() as usize;
        let cut = reason == RejectReason::CutShort && !parser.nested;
        Broken {
            reached_end: cut || read >= bytes.len(),
            reason,
            at: parser.started,
            nested: parser.nested,
        }
    })
}

/// Why an element could not be read, and how far reading had come.
#[derive(Debug, PartialEq, Eq)]
pub struct Broken {
    pub reason: RejectReason,
    /// Where the last piece of markup that was looked at begins.
    pub at: usize,
    /// Every byte was looked at: more bytes might make the element whole.
    pub reached_end: bool,
    /// An element named `until` began at `at`.
    pub nested: bool,
}

struct Parser<'a, 'n> {
    bytes: &'a [u8],
    reader: Reader<&'a [u8]>,
    style: Style,
    until: Option<&'n str>,
    /// Where the markup of the last node begins.
    started: usize,
    /// An element named `until` was met.
    nested: bool,
}

enum Node<'a> {
    Open { tag: &'a str, name: &'a str, empty: bool },
    Text(Cow<'a, str>),
    Close,
    Nothing,
}

impl<'a, 'n> Parser<'a, 'n> {
    fn new(bytes: &'a [u8], style: Style, until: Option<&'n str>) -> Self {
        let mut reader = Reader::from_reader(bytes);
        reader.config_mut().check_comments = false;
        Self { bytes, reader, style, until, started: 0, nested: false }
    }

    fn root(&mut self) -> Result<Element<'a>, RejectReason> {
        match self.node()? {
            Node::Open { tag, name, empty } => {
                let value = self.content(tag, name, empty, 1)?.value;
                Ok(Element { name, value, bytes: self.reader.buffer_position() as usize })
            }
            _ => Err(self.malformed()),
        }
    }

    /// The value of an element whose start tag has just been read.
    fn content(
        &mut self,
        tag: &'a str,
        name: &'a str,
        empty: bool,
        level: u32,
    ) -> Result<Content<'a>, RejectReason> {
        if level > LEVELS_MAX {
            return Err(RejectReason::TooDeep { levels_max: LEVELS_MAX });
        }
        let mut building = Building::new(self.style);
        self.attributes(tag, &mut building)?;
        if empty {
            return Ok(building.finish(name));
        }
        loop {
            match self.node()? {
                Node::Close => return Ok(building.finish(name)),
                Node::Text(text) => building.text(text),
                Node::Nothing => {}
                Node::Open { name, .. } if self.until == Some(name) => {
                    self.nested = true;
                    return Err(RejectReason::CutShort);
                }
                Node::Open { name, empty, .. } if self.is_narrative(name) => {
                    self.skip(empty, level)?;
                }
                Node::Open { tag, name, empty } => {
                    let content = self.content(tag, name, empty, level + 1)?;
                    building.child(name, content);
                    if building.fields.len() > FIELDS_MAX {
                        return Err(self.malformed());
                    }
                }
            }
        }
    }

    /// Reads past an element without keeping any of it.
    fn skip(&mut self, empty: bool, level: u32) -> Result<(), RejectReason> {
        let mut open = u32::from(!empty);
        while open > 0 {
            match self.node()? {
                Node::Close => open -= 1,
                Node::Open { name, .. } if self.until == Some(name) => {
                    self.nested = true;
                    return Err(RejectReason::CutShort);
                }
                Node::Open { empty, .. } => open += u32::from(!empty),
                Node::Text(_) | Node::Nothing => {}
            }
            if level + open > LEVELS_MAX {
                return Err(RejectReason::TooDeep { levels_max: LEVELS_MAX });
            }
        }
        Ok(())
    }

    fn is_narrative(&self, name: &str) -> bool {
        self.style == Style::Fhir && name == "div"
    }

    fn attributes(&self, tag: &'a str, building: &mut Building<'a>) -> Result<(), RejectReason> {
        let name_bytes = tag.find(|c: char| c.is_ascii_whitespace()).unwrap_or(tag.len());
        for (index, attribute) in Attributes::new(tag, name_bytes).enumerate() {
            let attribute = attribute.map_err(|error| match error {
                AttrError::Duplicated(..) => RejectReason::DuplicateKey { field: "attribute" },
                _ => self.malformed(),
            })?;
            if index >= ATTRIBUTES_MAX {
                return Err(self.malformed());
            }
            let key = attribute.key.0;
            if key == "xmlns" || key.starts_with("xmlns:") || key.starts_with("xsi:") {
                continue;
            }
            let plain = !attribute.value.bytes().any(|byte| byte == b'&' || byte < b' ');
            let value = if plain {
                attribute.value
            } else {
                attribute
                    .normalized_value(XmlVersion::Implicit1_0)
                    .map_err(|_| RejectReason::EntityRefused)?
            };
            building.attribute(local(key), value);
        }
        Ok(())
    }

    fn node(&mut self) -> Result<Node<'a>, RejectReason> {
        self.started = self.reader.buffer_position() as usize;
        let event = self.reader.read_event().map_err(|error| self.reason(&error))?;
        let node = match event {
            Event::Start(_) => self.open(false)?,
            Event::Empty(_) => self.open(true)?,
            Event::End(_) => Node::Close,
            Event::Text(text) => Node::Text(text.xml10_content()),
            Event::CData(text) => Node::Text(text.into_inner()),
            Event::GeneralRef(reference) => Node::Text(resolved(&reference)?),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => Node::Nothing,
            Event::DocType(_) => return Err(RejectReason::EntityRefused),
            Event::Eof => return Err(RejectReason::CutShort),
        };
        Ok(node)
    }

    /// The tag just read, borrowed from the input rather than from the reader's event.
    fn open(&self, empty: bool) -> Result<Node<'a>, RejectReason> {
        let end = self.reader.buffer_position() as usize - 1 - usize::from(empty);
        let tag = self
            .bytes
            .get(self.started + 1..end)
            .and_then(|tag| std::str::from_utf8(tag).ok())
            .ok_or_else(|| self.malformed())?;
        let qualified = tag.split(|c: char| c.is_ascii_whitespace()).next().unwrap_or(tag);
        Ok(Node::Open { tag, name: local(qualified), empty })
    }

    fn reason(&self, error: &Error) -> RejectReason {
        match error {
            Error::Syntax(_) => RejectReason::CutShort,
            Error::Encoding(_) => RejectReason::NotUtf8 { at: self.started as u64 },
            Error::Escape(_) => RejectReason::EntityRefused,
            _ => self.malformed(),
        }
    }

    fn malformed(&self) -> RejectReason {
        RejectReason::Malformed { format: "XML", at: self.started as u64 }
    }
}

fn resolved(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, RejectReason> {
    if let Some(character) =
        reference.resolve_char_ref().map_err(|_| RejectReason::EntityRefused)?
    {
        return Ok(Cow::Owned(character.to_string()));
    }
    quick_xml::escape::resolve_predefined_entity(reference)
        .map(Cow::Borrowed)
        .ok_or(RejectReason::EntityRefused)
}

fn local(qualified: &str) -> &str {
    qualified.split_once(':').map_or(qualified, |(_, name)| name)
}

/// An element's value, and what FHIR XML writes inside a primitive beside its value: JSON has that
/// in a field of its own, `_name`.
struct Content<'a> {
    value: Value<'a>,
    beside: Option<Value<'a>>,
}

/// An element's content while its parts come in.
struct Building<'a> {
    style: Style,
    /// FHIR's attribute `value`.
    value: Option<Cow<'a, str>>,
    text: Cow<'a, str>,
    fields: Vec<(Cow<'a, str>, Value<'a>)>,
    /// FHIR: the one child that is a resource.
    resource: Option<Value<'a>>,
}

impl<'a> Building<'a> {
    fn new(style: Style) -> Self {
        Self { style, value: None, text: Cow::Borrowed(""), fields: Vec::new(), resource: None }
    }

    fn attribute(&mut self, name: &'a str, value: Cow<'a, str>) {
        if self.style == Style::Fhir && name == "value" {
            self.value = Some(value);
        } else {
            self.fields.push((Cow::Borrowed(name), Value::String(value)));
        }
    }

    fn text(&mut self, text: Cow<'a, str>) {
        if self.text.is_empty() {
            // Most of it is the indentation between elements.
            if !text.trim_ascii().is_empty() {
                self.text = text;
            }
        } else {
            self.text.to_mut().push_str(&text);
        }
    }

    fn child(&mut self, name: &'a str, content: Content<'a>) {
        if self.style == Style::Fhir && is_resource(name) {
            self.resource = Some(content.value);
            return;
        }
        if let Some(beside) = content.beside {
            self.field(Cow::Owned(format!("_{name}")), beside);
        }
        self.field(Cow::Borrowed(name), content.value);
    }

    /// Adds a field, or adds to the list that an element named twice becomes.
    fn field(&mut self, name: Cow<'a, str>, value: Value<'a>) {
        let Some((_, held)) = self.fields.iter_mut().rev().find(|(held, _)| *held == name) else {
            self.fields.push((name, value));
            return;
        };
        match held {
            Value::Array(items) => items.push(value),
            one => {
                let first = std::mem::replace(one, Value::Null);
                *one = Value::Array(vec![first, value]);
            }
        }
    }

    fn finish(mut self, name: &'a str) -> Content<'a> {
        if let Some(resource) = self.resource {
            return Content { value: resource, beside: None };
        }
        if self.style == Style::Fhir && is_resource(name) {
            let kind = Value::String(Cow::Borrowed(name));
            self.fields.insert(0, (Cow::Borrowed("resourceType"), kind));
        }
        let fields = Value::Object(self.fields);
        let has_fields = !fields.fields().is_empty();
        match self.style {
            Style::Fhir => match self.value {
                Some(value) => {
                    Content { value: Value::String(value), beside: has_fields.then_some(fields) }
                }
                None => Content { value: fields, beside: None },
            },
            Style::Plain if self.text.trim_ascii().is_empty() => {
                Content { value: fields, beside: None }
            }
            Style::Plain => {
                let text = Value::String(self.text);
                let value = match fields {
                    Value::Object(mut fields) if has_fields => {
                        fields.push((Cow::Borrowed(TEXT), text));
                        Value::Object(fields)
                    }
                    _ => text,
                };
                Content { value, beside: None }
            }
        }
    }
}

/// FHIR names resources in upper case and elements in lower case.
fn is_resource(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Of one tag. FHIR and DICOM use at most nine; checking for duplicates is quadratic.
const ATTRIBUTES_MAX: usize = 64;
/// Differently named parts of one element: looking a name up is linear.
const FIELDS_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Result<Value<'_>, RejectReason> {
        element(text.as_bytes(), Style::Plain, None).map(|e| e.value).map_err(|e| e.reason)
    }

    fn fhir(text: &str) -> Value<'_> {
        element(text.as_bytes(), Style::Fhir, None).unwrap().value
    }

    #[test]
    fn attributes_children_and_text_become_fields() {
        let text = r#"<p:A x="1" xmlns:p="urn:p"><!-- no --><b y='&lt;2&#65;'>t &amp; <![CDATA[<u>]]></b><b/></p:A> after"#;
        let read = element(text.as_bytes(), Style::Plain, None).unwrap();
        assert_eq!((read.name, read.bytes), ("A", text.len() - 6));
        let first = read.value.get("b").first();
        assert_eq!(read.value.get("x").str(), Some("1"));
        assert_eq!(read.value.get("b").items().len(), 2);
        assert_eq!((first.get("y").str(), first.get(TEXT).str()), (Some("<2A"), Some("t & <u>")));
    }

    #[test]
    fn fhir_xml_becomes_the_tree_of_fhir_json() {
        let value = fhir(
            r#"<AuditEvent xmlns="http://hl7.org/fhir"><text><status value="generated"/>
            <div xmlns="http://www.w3.org/1999/xhtml"><p>Not <b value="x">read</b></p></div></text>
            <contained><Patient><id value="p"/></Patient></contained>
            <recorded value="2020-01-01T00:00:00Z"><extension url="u"><valueCode value="c"/></extension></recorded>
            <agent><requestor value="true"/></agent><agent/></AuditEvent>"#,
        );
        assert_eq!(value.get("resourceType").str(), Some("AuditEvent"));
        assert_eq!(value.get("contained").get("resourceType").str(), Some("Patient"));
        assert_eq!(value.get("contained").get("id").str(), Some("p"));
        assert_eq!(value.get("recorded").str(), Some("2020-01-01T00:00:00Z"));
        let extension = value.get("_recorded").get("extension");
        assert_eq!(
            (extension.get("url").str(), extension.get("valueCode").str()),
            (Some("u"), Some("c"))
        );
        assert_eq!(value.get("agent").items().len(), 2);
        assert_eq!(value.get("text").fields().len(), 1);
    }

    #[test]
    fn entities_are_refused_and_never_expanded() {
        for text in [
            "<a>&lol;</a>",
            "<a b='&lol;'/>",
            "<!DOCTYPE a [<!ENTITY lol 'x'>]><a/>",
            "<a><!DOCTYPE a SYSTEM 'http://e.example/x.dtd'></a>",
            "<a>&#x110000;</a>",
        ] {
            assert!(
                matches!(
                    plain(text),
                    Err(RejectReason::EntityRefused | RejectReason::Malformed { .. })
                ),
                "{text}"
            );
        }
        assert_eq!(plain("<a>&lol;</a>"), Err(RejectReason::EntityRefused));
        assert_eq!(plain("<a b='&lol;'/>"), Err(RejectReason::EntityRefused));
    }

    #[test]
    fn what_is_not_xml_is_refused() {
        for text in ["<a>", "<a", "<a b='", "<a><b></b>", "<a><!--", "<a><![CDATA[x"] {
            let broken = element(text.as_bytes(), Style::Plain, None).unwrap_err();
            assert_eq!(
                (broken.reason, broken.reached_end),
                (RejectReason::CutShort, true),
                "{text}"
            );
        }
        for text in ["<a></b>", "<a b=1 b/>", "<a b='1' b='2'/>", "<a b></a>", "text"] {
            assert!(!matches!(plain(text), Ok(_) | Err(RejectReason::CutShort)), "{text}");
        }
        let bad = element(b"<a b='\xff'/>", Style::Plain, None).unwrap_err();
        assert!(matches!(bad.reason, RejectReason::NotUtf8 { .. }));
    }

    #[test]
    fn depth_attributes_and_fields_are_bounded() {
        let nested = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
        assert!(plain(&nested(LEVELS_MAX as usize)).is_ok());
        let refused = Err(RejectReason::TooDeep { levels_max: LEVELS_MAX });
        assert_eq!(plain(&nested(LEVELS_MAX as usize + 1)), refused);
        assert_eq!(plain(&"<a>".repeat(100_000)), refused);
        let attributes = |count: usize| {
            (0..count).fold("<a".to_owned(), |text, n| format!("{text} a{n}=''")) + "/>"
        };
        assert!(plain(&attributes(ATTRIBUTES_MAX)).is_ok());
        assert!(plain(&attributes(ATTRIBUTES_MAX + 1)).is_err());
        let fields = |count: usize| {
            (0..count).fold("<a>".to_owned(), |text, n| format!("{text}<a{n}/>")) + "</a>"
        };
        assert!(plain(&fields(FIELDS_MAX)).is_ok());
        assert!(plain(&fields(FIELDS_MAX + 1)).is_err());
    }

    #[test]
    fn a_message_within_a_message_was_cut() {
        let text = b"<A><b><A><b/></A>";
        let broken = element(text, Style::Plain, Some("A")).unwrap_err();
        assert_eq!(
            broken,
            Broken { reason: RejectReason::CutShort, at: 6, reached_end: false, nested: true }
        );
    }
}
