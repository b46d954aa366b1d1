//! The letters: which glyph, how wide, and where a line ends.

use super::PdfError;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

/// One font, with what setting its lines needs.
pub(super) struct Face {
    pub(super) font: Font,
    known: FontRef<'static>,
    units: f32,
    /// Stands for what the font cannot show; the text below it stays what it was.
    unknown: u32,
}

impl Face {
    pub(super) fn new(bytes: &'static [u8]) -> Result<Self, PdfError> {
        let font = Font::new(bytes.into(), 0).ok_or(PdfError::Font)?;
        let known = FontRef::new(bytes).map_err(|_| PdfError::Font)?;
        let unknown = known.charmap().map(UNKNOWN).ok_or(PdfError::Font)?.to_u32();
        let units = font.units_per_em();
        Ok(Self { font, known, units, unknown })
    }

    pub(super) fn glyphs(&self, text: &str) -> Vec<KrillaGlyph> {
        let (letters, metrics) = (self.known.charmap(), self.metrics());
        text.char_indices()
            .map(|(at, letter)| {
                let id = letters.map(letter).map_or(self.unknown, skrifa::GlyphId::to_u32);
                let advance = metrics.advance_width(id.into()).unwrap_or_default() / self.units;
                let glyph_id = GlyphId::new(id);
                let text_range = at..at + letter.len_utf8();
                KrillaGlyph::new(glyph_id, advance, 0.0, 0.0, 0.0, text_range, None)
            })
            .collect()
    }

    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let (letters, metrics) = (self.known.charmap(), self.metrics());
        let wide = text.chars().map(|letter| {
            let id = letters.map(letter).map_or(self.unknown, skrifa::GlyphId::to_u32);
            metrics.advance_width(id.into()).unwrap_or_default()
        });
        wide.sum::<f32>() * size / self.units
    }

    fn metrics(&self) -> skrifa::metrics::GlyphMetrics<'static> {
        self.known.glyph_metrics(Size::unscaled(), LocationRef::default())
    }

    /// The lines of a text within a width; a word that is longer than a line is cut.
    pub(super) fn lines(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let mut line = String::new();
            for word in paragraph.split(char::is_whitespace).filter(|word| !word.is_empty()) {
                let word: String = word.chars().filter(|letter| !is_mark(*letter)).collect();
                let longer = if line.is_empty() { word.clone() } else { format!("{line} {word}") };
                if self.width(&longer, size) <= width {
                    line = longer;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                line = self.cut(&word, size, width, &mut lines);
            }
            lines.push(line);
        }
        lines
    }

    /// Puts whole lines of a long word away, and gives what is left.
    fn cut(&self, word: &str, size: f32, width: f32, lines: &mut Vec<String>) -> String {
        let mut line = String::new();
        for letter in word.chars() {
            line.push(letter);
            if line.chars().count() > 1 && self.width(&line, size) > width {
                line.pop();
                lines.push(std::mem::replace(&mut line, letter.to_string()));
            }
        }
        line
    }
}

/// What a text may hold and a PDF may not (PDF/UA-1, 7.21.7, and control characters).
fn is_mark(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

const UNKNOWN: char = '\u{fffd}';
