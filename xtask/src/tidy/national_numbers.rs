//! Could a number in the repository be a living person's?
//!
//! Norwegian national numbers (11 digits, two check digits mod 11; Skatteetaten, "Fødselsnummer")
//! count when they are valid for a real birth date. Synthetic ones add 40 or 80 to the month and
//! pass. Messages never quote the number.

use super::House;

/// Copied public samples with numbers that their publishers printed as examples.
const PUBLIC_SAMPLES: &[&str] = &[
    "crates/bavn-decode/tests/data/fhir_balp/poke_saml_min/expected.jsonl",
    "crates/bavn-decode/tests/data/fhir_balp/poke_saml_min/input.json",
    "crates/bavn-decode/tests/data/fhir_test_cases/other_ids/expected.jsonl",
    "crates/bavn-decode/tests/data/fhir_test_cases/other_ids/input.json",
];

pub(super) fn check(house: &House) -> Vec<String> {
    let mut broken = Vec::new();
    for file in &house.files {
        if PUBLIC_SAMPLES.contains(&file.path.as_str()) {
            continue;
        }
        for (at, line) in file.text.lines().enumerate() {
            if digit_runs(line).any(could_be_a_person) {
                broken.push(format!("{}:{} holds a valid national number", file.path, at + 1));
            }
        }
    }
    broken
}

/// Runs of exactly eleven digits that are no part of a decimal fraction or of an OID.
fn digit_runs(line: &str) -> impl Iterator<Item = [u32; 11]> {
    let mut before = None;
    line.split_inclusive(|c: char| !c.is_ascii_digit()).filter_map(move |piece| {
        let opened_by = std::mem::replace(&mut before, piece.chars().next_back());
        let digits: Vec<u32> = piece.chars().filter_map(|c| c.to_digit(10)).collect();
        digits.try_into().ok().filter(|_| opened_by != Some('.'))
    })
}

fn could_be_a_person(digits: [u32; 11]) -> bool {
    let day = digits[0] * 10 + digits[1];
    let month = digits[2] * 10 + digits[3];
    // A D-number adds 40 to the day.
    let is_date = matches!(day, 1..=31 | 41..=71) && matches!(month, 1..=12);
    is_date && check_digits(&digits) == Some((digits[9], digits[10]))
}

/// The two check digits that the first nine digits ask for; none where no number is given out.
fn check_digits(digits: &[u32; 11]) -> Option<(u32, u32)> {
    let weigh = |weights: &[u32], digits: &[u32]| -> Option<u32> {
        let sum: u32 = weights.iter().zip(digits).map(|(weight, digit)| weight * digit).sum();
        match (11 - sum % 11) % 11 {
            10 => None,
            check => Some(check),
        }
    };
    let first = weigh(&[3, 7, 6, 1, 8, 9, 4, 5, 2], digits)?;
    let mut ten = *digits;
    ten[9] = first;
    let second = weigh(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], &ten)?;
    Some((first, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A valid number for a birth date, put together here so that none stands in a file.
    fn valid(day: u32, month: u32) -> [u32; 11] {
        (0..1_000)
            .find_map(|person: u32| {
                let mut digits = [day / 10, day % 10, month / 10, month % 10, 7, 0, 0, 0, 0, 0, 0];
                (digits[6], digits[7], digits[8]) = (person / 100, person / 10 % 10, person % 10);
                (digits[9], digits[10]) = check_digits(&digits)?;
                Some(digits)
            })
            .unwrap()
    }

    fn found_in(line: &str) -> usize {
        digit_runs(line).filter(|run| could_be_a_person(*run)).count()
    }

    #[test]
    fn a_living_persons_number_is_found_wherever_it_stands() {
        let text: String = valid(5, 8).iter().map(u32::to_string).collect();
        assert_eq!(found_in(&text), 1);
        assert_eq!(found_in(&format!("urn:oid:2.16.578.1.12.4.1.4.1|{text}\",")), 1);
        let d_number: String = valid(45, 8).iter().map(u32::to_string).collect();
        assert_eq!(found_in(&format!("({d_number})")), 1);
    }

    #[test]
    fn synthetic_wrong_and_other_numbers_pass() {
        for month in [48, 88] {
            assert!(!could_be_a_person(valid(5, month)));
        }
        let mut wrong = valid(5, 8);
        wrong[10] = (wrong[10] + 1) % 10;
        assert!(!could_be_a_person(wrong));
        let text: String = valid(5, 8).iter().map(u32::to_string).collect();
        assert_eq!(found_in(&format!("0.{text} 1{text} {text}7")), 0);
    }
}
