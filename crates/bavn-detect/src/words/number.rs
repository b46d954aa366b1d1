//! Numbers as each language writes them.

use super::Language;

/// So many decimals, behind a comma in bokmål.
pub fn decimal(language: Language, value: f64, decimals: usize) -> String {
    written(language, &format!("{value:.decimals$}"))
}

/// As many decimals as the number has.
pub fn shortest(language: Language, value: f64) -> String {
    written(language, &value.to_string())
}

/// Digits in threes, with a narrow space that does not break (ISO 80000-1, 7.3.1).
pub fn grouped(count: u64) -> String {
    in_threes(&count.to_string())
}

/// `1 look-up`, `2 look-ups`.
pub fn look_ups(language: Language, count: u64) -> String {
    counted(language, count, ["look-up", "look-ups"], ["oppslag", "oppslag"])
}

/// `1 patient`, `2 patients`.
pub fn patients(language: Language, count: u64) -> String {
    counted(language, count, ["patient", "patients"], ["pasient", "pasienter"])
}

fn counted(language: Language, count: u64, english: [&str; 2], bokmaal: [&str; 2]) -> String {
    let [one, many] = match language {
        Language::English => english,
        Language::Bokmaal => bokmaal,
    };
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

fn written(language: Language, english: &str) -> String {
    match (language, english.split_once('.')) {
        (Language::English, _) => english.to_owned(),
        (Language::Bokmaal, Some((whole, decimals))) => {
            format!("{},{decimals}", in_threes(whole))
        }
        (Language::Bokmaal, None) => in_threes(english),
    }
}

fn in_threes(digits: &str) -> String {
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_in_threes() {
        for (count, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1\u{202f}000"),
            (2_900_000, "2\u{202f}900\u{202f}000"),
        ] {
            assert_eq!(grouped(count), expected);
        }
    }

    #[test]
    fn one_is_not_many() {
        for (count, english, bokmaal) in [
            (0, ["0 look-ups", "0 patients"], ["0 oppslag", "0 pasienter"]),
            (1, ["1 look-up", "1 patient"], ["1 oppslag", "1 pasient"]),
            (2, ["2 look-ups", "2 patients"], ["2 oppslag", "2 pasienter"]),
        ] {
            let said = |language| [look_ups(language, count), patients(language, count)];
            assert_eq!(said(Language::English), english);
            assert_eq!(said(Language::Bokmaal), bokmaal);
        }
    }

    #[test]
    fn bokmaal_has_a_comma_and_english_a_point() {
        for (value, decimals, english, bokmaal) in [
            (0.0123, 3, "0.012", "0,012"),
            (12_345.67, 1, "12345.7", "12\u{202f}345,7"),
            (97.0, 0, "97", "97"),
        ] {
            assert_eq!(decimal(Language::English, value, decimals), english);
            assert_eq!(decimal(Language::Bokmaal, value, decimals), bokmaal);
        }
        assert_eq!(shortest(Language::English, 0.5), "0.5");
        assert_eq!(shortest(Language::Bokmaal, 0.5), "0,5");
        assert_eq!(shortest(Language::Bokmaal, 20.0), "20");
    }
}
